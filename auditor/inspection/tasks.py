"""What a model does and which class of architecture it is, from class names, auto classes and parts; never from a model's name."""

import re

from auditor.inspection.architectures import Family
from auditor.inspection.config import ModelConfig
from auditor.snapshot import Snapshot

TEXT_TASKS = ("causal-lm", "seq2seq-lm", "image-text-to-text", "audio-text-to-text", "any-to-any", "speech-to-text", "text-to-speech")
"""Tasks whose models generate a sequence and keep a cache while they do."""
ENCODER_TASKS = ("encoder", "embedding", "reranker", "image-encoder", "audio-encoder")

_IMAGE_AUTO = frozenset(
    "IMAGE IMAGE_CLASSIFICATION OBJECT_DETECTION SEMANTIC_SEGMENTATION UNIVERSAL_SEGMENTATION INSTANCE_SEGMENTATION DEPTH_ESTIMATION "
    "MASK_GENERATION KEYPOINT_DETECTION KEYPOINT_MATCHING BACKBONE VIDEO_CLASSIFICATION ZERO_SHOT_IMAGE_CLASSIFICATION "
    "ZERO_SHOT_OBJECT_DETECTION".split()
)
_AUDIO_AUTO = frozenset({"AUDIO_CLASSIFICATION", "AUDIO_XVECTOR"})
_SPEECH_AUTO = frozenset({"CTC", "RNNT", "TDT"})
_VOICE_AUTO = frozenset({"TEXT_TO_WAVEFORM", "TEXT_TO_SPECTROGRAM"})
_DECODER_AUTO = frozenset({"CAUSAL_LM"})
_TEXT_ENCODER_AUTO = frozenset({"MASKED_LM", "TEXT_ENCODING"})

#: Ends of class names that settle the task whatever the model type is.
_BY_CLASS_NAME: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"For(CTC|RNNT|TDT|SpeechSeq2Seq)$|SpeechToText"), "speech-to-text"),
    (re.compile(r"TextToWaveform|TextToSpeech|ForTextToSpectrogram|TTS|Vits"), "text-to-speech"),
    (re.compile(r"For(Audio\w*Classification|XVector)$"), "audio-encoder"),
    (re.compile(r"For(Image|Video)Classification$|ForObjectDetection$|Segmentation$|DepthEstimation$|MaskedImageModeling$"), "image-encoder"),
)
_CLASSIFIER = re.compile(r"For(SequenceClassification|TokenClassification|QuestionAnswering|MultipleChoice|RewardModel)$|RewardModel$")
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
    auto = config.auto
    base = _base_task(config, auto, towers)
    if _CLASSIFIER.search(name):
        if "SequenceClassification" in name and _labels(config) == 1:
            return "reranker"
        return "encoder" if base in ENCODER_TASKS else "other"
    if base == "causal-lm" and _HEADLESS.search(name) and "CAUSAL_LM" in auto:
        return "embedding"
    return base


def _base_task(config: ModelConfig, auto: frozenset[str], towers: frozenset[str]) -> str:
    name = _class_name(config)
    if towers & {"talker", "generator"}:
        return "any-to-any"
    if auto & {"MULTIMODAL_LM", "IMAGE_TEXT_TO_TEXT"} or (towers and (auto & _DECODER_AUTO or "ForConditionalGeneration" in name or not auto)):
        if "SPEECH_SEQ_2_SEQ" in auto and not towers:
            return "speech-to-text"
        return "audio-text-to-text" if "audio" in towers and "vision" not in towers else "image-text-to-text"
    if "SPEECH_SEQ_2_SEQ" in auto:
        return "speech-to-text"
    if "SEQ_TO_SEQ_CAUSAL_LM" in auto and config.get("is_encoder_decoder") is True:
        return "seq2seq-lm"
    if auto & _VOICE_AUTO and not auto & _DECODER_AUTO:
        return "text-to-speech"
    if auto & _IMAGE_AUTO:
        return "image-encoder"
    if auto & (_SPEECH_AUTO | _AUDIO_AUTO):
        return "audio-encoder"
    if auto & _TEXT_ENCODER_AUTO and "ForCausalLM" not in name and "LMHead" not in name and "PREFERS_DECODER" not in auto:
        return "encoder"
    if auto & _DECODER_AUTO:
        return "causal-lm"
    return _from_name_alone(config, name)


def _from_name_alone(config: ModelConfig, name: str) -> str:
    """For a type that no auto class knows."""
    if "ForCausalLM" in name or "LMHeadModel" in name:
        return "causal-lm"
    if "ForConditionalGeneration" in name:
        return "seq2seq-lm" if config.get("is_encoder_decoder") is True else "causal-lm"
    auto_map = config.raw.get("auto_map")
    if isinstance(auto_map, dict):
        for auto_class, task in (("AutoModelForCausalLM", "causal-lm"), ("AutoModelForSeq2SeqLM", "seq2seq-lm"), ("AutoModelForMaskedLM", "encoder")):
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
