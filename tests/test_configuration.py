"""Settings: where they are found, what they may say, and what a mistake in them reads like."""

from pathlib import Path

import pytest

from auditor.configuration import KEYS, Configuration, find, read
from auditor.errors import ConfigError


def write(folder: Path, text: str, name: str = "auditor.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_is_read(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'on = ["h100"]\nrules = ["ours"]\npolicy = ["policy.yaml"]\nfail-on = "needs-port"\nstrict = true\nprice-term = "spot"\n'
        "weekly-rate = 4000\n[price]\nh100 = 2.5\n[workload]\ncontext = 4096\nlora = true\n"
        '[[ignore]]\nrule = "a-rule"\nmodel = "org/*"\nreason = "ported"\nuntil = 2027-01-31\n',
    )
    found = read(path)
    assert found.options == {
        "on": ["h100"],
        "rules": [tmp_path / "ours"],
        "policy": [tmp_path / "policy.yaml"],
        "fail_on": "needs-port",
        "strict": True,
        "price_term": "spot",
        "weekly_rate": 4000.0,
        "price": ["h100=2.5"],
    }
    assert found.workload == {"context": 4096, "lora": True}
    assert [(one.rule, one.model, one.reason, one.until) for one in found.ignores] == [("a-rule", "org/*", "ported", "2027-01-31")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('fail_on = "blocked"', "unknown key 'fail_on'; did you mean 'fail-on'?"),
        ('fail-on = "bloked"', "did you mean 'blocked'? choose from never, regression, config-change, needs-port, blocked"),
        ("on = 3", "on is 3; write a list of texts"),
        ('strict = "yes"', "strict is 'yes'; write true or false"),
        ("weekly-rate = -1", "weekly-rate is -1; write a number above zero"),
        ("price = 3", "price is 3; write a table: [price]"),
        ("[price]\nh100 = 'two'", "price.h100 is 'two'; write USD per device-hour"),
        ("[[ignore]]\nrule = 'x'\nuntil = 2027-01-01", "ignore number 1: 'reason' is missing"),
        ("[[ignore]]\nrule = 'x'\nreason = ' '\nuntil = 2027-01-01", "reason is ' '"),
        ("[[ignore]]\nrule = 'x'\nreason = 'y'\nuntil = 'soon'", "until is 'soon'; write a day as YYYY-MM-DD"),
        ("[[ignore]]\nrule = 'x'\nreason = 'y'\nuntil = 2027-01-01\nmodle = 'z'", "'modle' is not known here"),
        ("on = [", "is not TOML"),
    ],
)
def test_a_mistake_is_one_sentence_that_names_the_file(tmp_path: Path, text: str, sentence: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as error:
        read(path)
    assert str(error.value).startswith(str(path))
    assert sentence in str(error.value)


def test_the_nearest_file_up_to_the_root_of_the_repository(tmp_path: Path) -> None:
    write(tmp_path, "")  # outside the repository: not ours
    repository = tmp_path / "repository"
    model = repository / "models" / "one"
    model.mkdir(parents=True)
    (repository / ".git").mkdir()
    assert find(model) is None
    at_root = write(repository, "[tool.auditor]\non = ['h100']\n", "pyproject.toml")
    assert find(model) == at_root
    write(repository / "models", "[tool.other]\n", "pyproject.toml")
    assert find(model) == at_root
    nearest = write(model, "")
    assert find(model) == nearest


def test_outside_a_repository_only_the_folder_itself(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    assert find(tmp_path) == path
    (tmp_path / "below").mkdir()
    assert find(tmp_path / "below") is None


def test_two_files_in_one_folder_are_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, "")
    write(tmp_path, "[tool.auditor]\n", "pyproject.toml")
    with pytest.raises(ConfigError, match="has both"):
        find(tmp_path)


def test_an_expired_exception_is_said_with_its_reason(tmp_path: Path) -> None:
    found = read(write(tmp_path, "[[ignore]]\nrule = 'x'\nreason = 'until the port'\nuntil = 2026-11-21\n"))
    found.check_day("2026-11-21")
    with pytest.raises(ConfigError, match=r"ended on 2026-11-21 \(until the port\)"):
        found.check_day("2026-11-22")
    Configuration().check_day("2026-11-22")


def test_the_page_about_settings_shows_every_key(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "configuration.md").read_text(encoding="utf-8")
    for key in KEYS:
        assert f"`{key}`" in page
    example = page.split("```toml\n")[1].split("```")[0]
    found = read(write(tmp_path, example))
    assert len(found.options) + bool(found.workload) + bool(found.ignores) == len(KEYS)
