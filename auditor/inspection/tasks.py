"""What a model does and which class of architecture it is, from class names, auto classes and parts; never from a model's name."""

import re

from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig
from auditor.snapshot import Snapshot

"""Tasks whose models generate a sequence and keep a cache while they do."""
ENCODER_TASKS = ("encoder", "embedding", "reranker", "image-encoder", "audio-encoder")

_IMAGE_AUTO = frozenset(
    {
        "BACKBONE",
        "DEPTH_ESTIMATION",
        "IMAGE",
        "IMAGE_CLASSIFICATION",
        "INSTANCE_SEGMENTATION",
        "KEYPOINT_DETECTION",
        "KEYPOINT_MATCHING",
        "MASK_GENERATION",
        "OBJECT_DETECTION",
        "SEMANTIC_SEGMENTATION",
        "UNIVERSAL_SEGMENTATION",
        "VIDEO_CLASSIFICATION",
        "ZERO_SHOT_IMAGE_CLASSIFICATION",
        "ZERO_SHOT_OBJECT_DETECTION",
    }
)
_AUDIO_AUTO = frozenset({"AUDIO_CLASSIFICATION", "AUDIO_XVECTOR"})
_SPEECH_AUTO = frozenset({"CTC", "RNNT", "TDT"})
_VOICE_AUTO = frozenset({"TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM"})
_DECODER_AUTO = frozenset({"CAUSAL_LM"})
_TEXT_ENCODER_AUTO = frozenset({"MASKED_LM", "TEXT_ENCODING"})
_SPEAKING_AUTO = frozenset({"CAUSAL_LM", "SEQ_TO_SEQ_CAUSAL_LM", "IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM", "SPEECH_SEQ_2_SEQ"})
_GENERATIVE_AUTO = frozenset({"IMAGE_TEXT_TO_TEXT", "MULTIMODAL_LM", "SPEECH_SEQ_2_SEQ"})
_HEADS_AUTO = frozenset({"SEQUENCE_CLASSIFICATION", "TOKEN_CLASSIFICATION", "QUESTION_ANSWERING"})

#: Ends of class names that settle the task whatever the model type is.
_BY_CLASS_NAME: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"For(CTC|RNNT|TDT|SpeechSeq2Seq)$|SpeechToText"), "speech-to-text"),
    (re.compile(r"TextToWaveform|TextToSpeech|ForTextToSpectrogram|TTS|Vits"), "text-to-speech"),
    (re.compile(r"For(Audio\w*Classification|XVector)$"), "audio-encoder"),
    (
        re.compile(r"For(Image|Video)Classification$|ForObjectDetection$|Segmentation$|DepthEstimation$|MaskedImageModeling$"),
        "image-encoder",
    ),
)
_CLASSIFIER = re.compile(r"For(SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice|RewardModel)$|RewardModel$")
_CAUSAL = re.compile(r"ForCausalLM|LMHead")
_HEADLESS = re.compile(r"Model$|Encoder$")


def task_of(config: ModelConfig, family: Family, towers: frozenset[str], snapshot: Snapshot | None = None) -> str:
    """Return the task. ``towers`` are the names of the parts beside the language model."""
    name = _class_name(config)
    if snapshot is not None and (said := _said_beside(config, name, snapshot)):
        return said
    for pattern, task in _BY_CLASS_NAME:
        if pattern.search(name):
            return task
    if family.task:
        return family.task
    base = _base_task(config, towers)
    if _CLASSIFIER.search(name):
        if "SequenceClassification" in name and _labels(config) == 1:
            return "reranker"
        return "encoder" if base in ENCODER_TASKS else "other"
    if base == "causal-lm" and _HEADLESS.search(name) and not _CAUSAL.search(name) and "CAUSAL_LM" in config.auto:
        return "embedding"
    return base


def generates(task: str, config: ModelConfig, text: ModelConfig) -> bool:
    """Return whether the model makes a sequence token by token, and so keeps a cache.

    Encoders do not, nor do speech models that align (CTC, transducers) or synthesise in one go. An embedding or reranking model
    built on a decoder does while it prefills.
    """
    if task in ("embedding", "reranker"):
        return "CAUSAL_LM" in text.auto and not text.auto & _TEXT_ENCODER_AUTO
    if task in ENCODER_TASKS:
        return False
    if task == "speech-to-text" and re.search(r"For(CTC|RNNT|TDT)$", _class_name(config)):
        return False
    if task in ("speech-to-text", "text-to-speech"):
        both = config.auto | text.auto
        return (
            bool(both & {"CAUSAL_LM", "SPEECH_SEQ_2_SEQ", "SEQ_TO_SEQ_CAUSAL_LM"})
            or config.get("is_encoder_decoder") is True
            or text is not config
        )
    return True


def _base_task(config: ModelConfig, towers: frozenset[str]) -> str:
    """Return the task that type and parts give, before the class name's head is looked at."""
    name, auto = _class_name(config), config.auto
    if towers & {"talker", "generator"}:
        return "any-to-any"
    if towers:
        return _task_with_towers(name, auto, towers, known=config.has_class)
    if auto & _VOICE_AUTO and not auto & _DECODER_AUTO:
        return "text-to-speech"
    if "SPEECH_SEQ_2_SEQ" in auto:
        return "speech-to-text"
    if "TEXT_ENCODING" in auto and name.endswith("EncoderModel"):
        return "encoder"
    if "SEQ_TO_SEQ_CAUSAL_LM" in auto and config.get("is_encoder_decoder") is True:
        return "seq2seq-lm"
    if auto & _DECODER_AUTO and (_CAUSAL.search(name) or not auto & (_TEXT_ENCODER_AUTO | _IMAGE_AUTO)):
        return "causal-lm"
    if _CAUSAL.search(name):
        return "causal-lm"
    if auto & _GENERATIVE_AUTO:
        return "image-text-to-text"
    if auto & _IMAGE_AUTO:
        return "image-encoder"
    if auto & (_SPEECH_AUTO | _AUDIO_AUTO):
        return "audio-encoder"
    if auto & _TEXT_ENCODER_AUTO or (auto & _HEADS_AUTO and not _CAUSAL.search(name)):
        return "encoder"
    if "RETRIEVAL" in auto:
        return "embedding"
    return _from_name_alone(config, name)


def _task_with_towers(name: str, auto: frozenset[str], towers: frozenset[str], *, known: bool) -> str:
    """A language model with eyes or ears, unless the class is known to make nothing but vectors of them."""
    hears_only = "audio" in towers and "vision" not in towers
    speaks = bool(auto & _SPEAKING_AUTO) or bool(_CAUSAL.search(name)) or "Generation" in name
    if auto & _VOICE_AUTO and not auto & {"IMAGE_TEXT_TO_TEXT"}:
        return "text-to-speech"
    if known and not speaks:
        if auto & _TEXT_ENCODER_AUTO:
            return "encoder"
        return "audio-encoder" if hears_only else "image-encoder"
    return "audio-text-to-text" if hears_only else "image-text-to-text"


def _from_name_alone(config: ModelConfig, name: str) -> str:
    """For a type that no auto class knows."""
    if "ForCausalLM" in name or "LMHeadModel" in name:
        return "causal-lm"
    if "ForConditionalGeneration" in name:
        return "seq2seq-lm" if config.get("is_encoder_decoder") is True else "causal-lm"
    auto_map = config.raw.get("auto_map")
    if isinstance(auto_map, dict):
        for auto_class, task in (
            ("AutoModelForCausalLM", "causal-lm"),
            ("AutoModelForSeq2SeqLM", "seq2seq-lm"),
            ("AutoModelForMaskedLM", "encoder"),
        ):
            if auto_class in auto_map:
                return task
    if "ForMaskedLM" in name or "ForPreTraining" in name:
        return "encoder"
    return "unknown"


def _said_beside(config: ModelConfig, name: str, snapshot: Snapshot) -> str | None:
    """What sentence-transformers files or the model card say of a model that its config takes for a plain encoder or decoder."""
    documents = snapshot.documents
    if "modules.json" in documents or "config_sentence_transformers.json" in documents:
        return "reranker" if "SequenceClassification" in name else "embedding"
    tag = snapshot.card.get("pipeline_tag")
    if tag in ("feature-extraction", "sentence-similarity") and (config.auto & (_DECODER_AUTO | _TEXT_ENCODER_AUTO)):
        return "embedding"
    return "reranker" if tag == "text-ranking" else None


def _class_name(config: ModelConfig) -> str:
    names = config.raw.get("architectures")
    return names[0] if isinstance(names, list) and names and isinstance(names[0], str) else ""


def _labels(config: ModelConfig) -> int | None:
    labels = config.raw.get("id2label")
    if isinstance(labels, dict):
        return len(labels)
    count = config.raw.get("num_labels")
    return count if isinstance(count, int) else None
