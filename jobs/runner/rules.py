"""Rules: all that a check can find, each with an id that stays, how grave it is and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from jobs.runner.errors import Problem

# error: it would fail or be dropped; warning: it will hurt; advice: it could be better.
Severity = Literal["error", "warning", "advice"]


@dataclass(frozen=True)
class Rule:
    """`what` and `remedy` are a sentence each; `why` is for those who want to know more."""

    id: str
    severity: Severity
    what: str
    remedy: str
    why: str


@dataclass(frozen=True)
class Finding:
    """One place where a rule is not kept; the last of many may stand for `more` of its kind."""

    rule: Rule
    problem: Problem
    severity: Severity
    more: int = 0
    ignored: str | None = None  # the reason that the spec gives

    def __str__(self) -> str:
        return f"{self.severity} {self.rule.id}: {self.problem}"


def finding(rule: Rule, path: str, line: int, what: str) -> Finding:
    """A finding in a file of examples; of the line 0 if it is of the whole file."""
    return Finding(rule, Problem(path, line, "", what), rule.severity)


_RULES: dict[str, Rule] = {}


def _rule(id: str, severity: Severity, what: str, remedy: str, why: str) -> Rule:
    return _RULES.setdefault(id, Rule(id, severity, what, remedy, why))


# Specs: VT-S

SPEC = _rule(
    "VT-S001",
    "error",
    "A spec holds a key or value that means nothing.",
    "Correct the key or value; `vertune schema` describes each of them.",
    "A misspelt setting that is passed over in silence is found out by the bill.",
)
NO_SPEC = _rule(
    "VT-S012",
    "error",
    "A file in jobs/ cannot be read as a spec at all.",
    "Correct the file; `vertune new job` writes one that is whole.",
    "It is not YAML, not UTF-8, no file of the repository, or has a name that no job can have.",
)
UNKNOWN_SPEC = _rule(
    "VT-S013",
    "error",
    "No spec has the name that was asked for.",
    "Give the name of a file in jobs/, without its .yaml.",
    "To check nothing, and find nothing wrong with it, would be no check.",
)
UNKNOWN_BASE_MODEL = _rule(
    "VT-S002",
    "error",
    "The base model is none that can be tuned.",
    "Choose one of those that `vertune models` lists.",
    "The service refuses the job, sometimes with a message about something else.",
)
REGION = _rule(
    "VT-S003",
    "error",
    "The base model cannot be tuned in the stack's region.",
    "Choose another base model, or a stack in one of the regions named.",
    "Tuning is offered in a few regions only, and they differ by base model.",
)
ADAPTER_SIZE = _rule(
    "VT-S004",
    "error",
    "The adapter size is one that the base model does not take.",
    "Use one of the sizes named, or leave it out.",
    "The service refuses it; it was once reported as 404.",
)
RETIRED = _rule(
    "VT-S005",
    "error",
    "The base model is retired.",
    "Choose another one (`vertune models`).",
    "A retired base model is neither tuned nor served. In a simulation it is a warning.",
)
RETIRES_SOON = _rule(
    "VT-S006",
    "warning",
    "The base model may be retired within 90 days.",
    "Choose one that lives longer, or plan to tune again before that day.",
    "A tuned model lives no longer than its base.",
)
UNSCORED = _rule(
    "VT-S007",
    "error",
    "A pass mark is set and there is no test split to reach it on.",
    "Put test.jsonl beside train.jsonl, or remove evaluation.at_least.",
    "It would be found out after the tuning is paid for: without a score nothing is served.",
)
CONVERTED = _rule(
    "VT-S008",
    "advice",
    "A setting of 2023 is converted or left out.",
    "Write what it became, so that the spec says what happens.",
    "Steps of 8 examples became epochs, and the learning rate has another scale today.",
)
OPEN_EPOCHS = _rule(
    "VT-S009",
    "advice",
    "The number of epochs is left to the service.",
    "Set tuning.epochs.",
    "The bill is tokens × epochs. Of 166 examples the default was seen to become 40 epochs.",
)
STEPS = _rule(
    "VT-S010",
    "advice",
    "The number of steps is outside of what is recommended for the task.",
    "Set tuning.epochs so that the steps come into the range, unless the score says otherwise.",
    "Google's table of 2023 for these tasks, in steps of 8 examples. What a job counts itself may"
    " be some more: where 8 does not divide the examples, each epoch ends with a smaller step.",
)
IDLE_IGNORE = _rule(
    "VT-S011",
    "advice",
    "The spec ignores something that is not found.",
    "Remove the entry from check.ignore.",
    "It would hide the same fault when it comes back for another reason.",
)

# Form of files and lines: VT-D0

NO_DATASET = _rule(
    "VT-D001",
    "error",
    "There is no dataset where the spec says.",
    "Name a folder that holds train.jsonl, a .jsonl file, or one of both in a bucket.",
    "Nothing can be tuned on.",
)
UNREADABLE = _rule(
    "VT-D002",
    "error",
    "A file cannot be read.",
    "Mend what the system says about it.",
    "Half a file would be tuned on as if it were the whole.",
)
NO_EXAMPLE = _rule(
    "VT-D003",
    "error",
    "A file holds no example.",
    "Write examples into it, or remove it.",
    "The service refuses an empty file.",
)
BYTE_ORDER_MARK = _rule(
    "VT-D004",
    "error",
    "A file starts with a byte-order mark.",
    "Save it as plain UTF-8, without the mark.",
    "The mark makes the first line no JSON.",
)
NOT_UTF8 = _rule(
    "VT-D005",
    "error",
    "A line is not UTF-8.",
    "Save the file as UTF-8.",
    "JSON is UTF-8; other bytes become other letters, or the line is dropped.",
)
BLANK_LINE = _rule(
    "VT-D006",
    "error",
    "A line is blank.",
    "Remove it.",
    "Every line is an example; a blank one is none.",
)
LONG_LINE = _rule(
    "VT-D007",
    "error",
    "A line is longer than any example may be.",
    "Shorten the example, or put each example on a line of its own.",
    "131,072 tokens are the most an example may have; no such text needs 4 MiB.",
)
NOT_JSON = _rule(
    "VT-D008",
    "error",
    "A line is not JSON.",
    "Write one JSON object a line; let a JSON library write it.",
    "The service drops the line or refuses the file.",
)
NUL = _rule(
    "VT-D009",
    "error",
    "A line holds a NUL byte.",
    "Save the file as UTF-8; UTF-16 is full of NUL bytes, and so are torn files.",
    "JSON has no such byte.",
)
NO_OBJECT = _rule(
    "VT-D010",
    "error",
    "A line is JSON but no object.",
    "Write one object a line, not one list for the whole file.",
    "An example is an object.",
)
TOO_DEEP = _rule(
    "VT-D011",
    "error",
    "A line is nested too deeply.",
    "Remove what is nested; an example needs five levels.",
    "It is what an attack on a parser looks like.",
)
BAD_NUMBER = _rule(
    "VT-D012",
    "error",
    "A line holds a number that JSON does not have.",
    "Write a finite number, or text.",
    "NaN, Infinity and numbers without end are read by some parsers and refused by others.",
)
LONE_SURROGATE = _rule(
    "VT-D013",
    "error",
    "A line holds half of a surrogate pair.",
    "Remove it, or write the whole character; it is what a text cut in the middle leaves.",
    "It is no character and has no form in UTF-8.",
)
DUPLICATE_KEY = _rule(
    "VT-D014",
    "error",
    "An object has a key twice.",
    "Keep one of the two.",
    "Most parsers keep the last value and lose the first without a word.",
)
UNKNOWN_FORM = _rule(
    "VT-D015",
    "error",
    "An example is in none of the accepted forms.",
    'Write {"contents": […]}, {"messages": […]} or {"input_text": …, "output_text": …}.',
    "Today's form, chat messages and the form of 2023 are converted to what the service takes.",
)
MIXED_FORM = _rule(
    "VT-D016",
    "error",
    "An example is in two forms at once.",
    "Keep one of the two.",
    "Which of the two is meant cannot be known.",
)
UNKNOWN_KEY = _rule(
    "VT-D017",
    "error",
    "An object has a key that means nothing there.",
    "Remove the key, or correct its name.",
    "What it holds would not be learnt; a misspelt key would lose its value.",
)
MISSING = _rule(
    "VT-D018",
    "error",
    "A value is missing, or of the wrong type.",
    "Write the value that is named.",
    "The service drops such an example.",
)
ROLE = _rule(
    "VT-D019",
    "error",
    "A turn has an unknown role.",
    'Use "user" and "model" (in messages "assistant", and "system" first).',
    "The service drops such an example.",
)
ORDER = _rule(
    "VT-D020",
    "error",
    "The turns do not alternate.",
    "Start with the user's turn and alternate; join turns of the same role.",
    "The service drops such an example.",
)
LAST_TURN = _rule(
    "VT-D021",
    "error",
    "The last turn is not the model's.",
    "End with the answer that is to be learnt, or remove the turn behind it.",
    "The answer is what is learnt; without one there is nothing to learn.",
)
EMPTY_TURN = _rule(
    "VT-D022",
    "error",
    "A turn or an instruction is empty.",
    "Write its text, or remove the example.",
    "An empty answer teaches to say nothing.",
)
PART = _rule(
    "VT-D023",
    "error",
    "A part of a turn is of the wrong type.",
    'Write {"text": "…"}.',
    "Answers are text and function calls; prompts are text, files and what functions gave.",
)
FILE_PART = _rule(
    "VT-D024",
    "error",
    "A file of a prompt is not named as it must be.",
    'Write {"fileData": {"mimeType": "…", "fileUri": "gs://…"}}, in a turn of the user.',
    "The service reads files from Cloud Storage, and needs their type.",
)
SYSTEM = _rule(
    "VT-D025",
    "error",
    "A system instruction is not written as it must be.",
    'Write it once, as {"parts": [{"text": "…"}]}.',
    "The service drops such an example.",
)
TWO_INSTRUCTIONS = _rule(
    "VT-D026",
    "error",
    "An example and the spec have different system instructions.",
    "Keep one of the two.",
    "Which of the two is meant cannot be known.",
)
TOOLS = _rule(
    "VT-D027",
    "error",
    "The tools of an example are not written as they must be.",
    'Write "tools" as a list of objects.',
    "The service drops such an example.",
)
PACKED = _rule(
    "VT-D028",
    "error",
    "A file is compressed.",
    "Unpack it; the service takes plain .jsonl, and so does a check.",
    "It is not unpacked here either: a few kilobytes can become many gigabytes.",
)
FILE_GONE = _rule(
    "VT-D029",
    "error",
    "A file that a prompt names is not there.",
    "Upload it, or correct the `fileUri`.",
    "The service drops the example or fails the job, and tells only then.",
)

# Sizes: VT-D03

TRAINING_BYTES = _rule(
    "VT-D030",
    "error",
    "The training file is larger than the base model takes.",
    "Leave examples out; `vertune dataset sample` writes a smaller file.",
    "The service refuses the job.",
)
TRAINING_EXAMPLES = _rule(
    "VT-D031",
    "error",
    "There are more training examples than the base model takes.",
    "Leave examples out; `vertune dataset sample` writes a smaller file.",
    "The service refuses the job.",
)
VALIDATION_EXAMPLES = _rule(
    "VT-D032",
    "error",
    "There are more validation examples than the base model takes.",
    "Leave validation examples out.",
    "The service refuses the job.",
)
VALIDATION_SHARE = _rule(
    "VT-D033",
    "error",
    "The validation split is too large a share of the training split.",
    "Move validation examples to the training split, or leave them out.",
    "Above 1,000 validation examples the service takes at most 30 % of the training examples.",
)
TOO_MANY_TOKENS = _rule(
    "VT-D034",
    "warning",
    "An example has more tokens than the base model takes.",
    "Shorten it, or cut it into several.",
    "The service drops it without a word; only the statistics of the job show it.",
)
FEW_EXAMPLES = _rule(
    "VT-D036",
    "advice",
    "There are fewer training examples than are recommended for the task.",
    "Add examples that differ from those there are.",
    "Google's table of 2023 for these tasks.",
)
NO_VALIDATION = _rule(
    "VT-D037",
    "advice",
    "There is no validation split.",
    "Put validation.jsonl beside train.jsonl.",
    "Without it nobody sees when the tuning starts to learn by heart.",
)
NO_TEST = _rule(
    "VT-D038",
    "advice",
    "There is no test split.",
    "Put test.jsonl beside train.jsonl.",
    "Without it nothing tells whether the tuned model is better than its base.",
)

# What is odd about a file: VT-D04

CRLF = _rule(
    "VT-D040",
    "advice",
    "Lines end with a carriage return.",
    "Save the file with plain line feeds.",
    "It is read all the same; in git every line differs once somebody saves it otherwise.",
)
FORMS = _rule(
    "VT-D041",
    "advice",
    "A split mixes forms of examples.",
    "Write all examples in one form.",
    "They are converted, but who reads or edits the file has several forms to know.",
)
SOME_SYSTEM = _rule(
    "VT-D042",
    "warning",
    "Some examples have a system instruction and others have none.",
    "Give it to all of them, or set `instructions` in the spec.",
    "The tuned model is asked in one way; what it learnt in the other helps it less.",
)
CONTROL = _rule(
    "VT-D043",
    "warning",
    "A text holds control characters.",
    "Remove them; they come from terminals, torn files and wrong encodings.",
    "They are tokens that no prompt will hold.",
)
FILE_FOREIGN = _rule(
    "VT-D044",
    "warning",
    "A file that a prompt names is in another bucket than the stack's.",
    "Copy it into the stack's bucket, or let the service's account read the other one.",
    "What `pulumi up` makes lets the service read the stack's bucket alone.",
)
FILES_UNSEEN = _rule(
    "VT-D045",
    "advice",
    "Whether files that prompts name are there was not looked up.",
    "Log in, or start the emulator, and check again; of very many only the first are looked up.",
    "A file that is not there is found out when the service reads the examples.",
)

# What examples say: VT-D1

REPEATED = _rule(
    "VT-D101",
    "warning",
    "A split holds the same example more than once.",
    "Keep one of them; `vertune dataset dedupe` writes a file without repeats.",
    "It is paid for and learnt several times, so it weighs more than others.",
)
ALIKE = _rule(
    "VT-D102",
    "warning",
    "Two examples of a split differ in case, spaces or punctuation only.",
    "Keep one of them; `vertune dataset dedupe` writes a file without repeats.",
    "It is paid for and learnt several times, so it weighs more than others.",
)
NEARLY = _rule(
    "VT-D103",
    "warning",
    "Two examples of a split are nearly the same.",
    "Keep one of them, or make them differ; `vertune dataset dedupe --how near` leaves them out.",
    "Three of four pairs of words are the same in both: what is learnt from the second is little.",
)
CONTRADICTION = _rule(
    "VT-D104",
    "warning",
    "The same input has different answers.",
    "Keep the answer that is right.",
    "The tuned model learns to guess between them.",
)
LEAKED = _rule(
    "VT-D105",
    "warning",
    "A held-out example is also in the training data.",
    "Remove it from one of the two splits.",
    "Who has seen the answer needs to know nothing: the score means nothing.",
)
LEAKED_ALIKE = _rule(
    "VT-D106",
    "warning",
    "A held-out example is in the training data but for case, spaces or punctuation.",
    "Remove it from one of the two splits.",
    "Who has seen the answer needs to know nothing: the score means nothing.",
)
LEAKED_NEARLY = _rule(
    "VT-D107",
    "warning",
    "A held-out example is nearly the same as one of the training data.",
    "Put both into the same split; `vertune dataset split` keeps them together.",
    "The score is higher than it would be for texts that are new.",
)
LEAKED_INPUT = _rule(
    "VT-D108",
    "warning",
    "The input of a held-out example is in the training data, with another answer.",
    "Keep the answer that is right, in one of the two splits.",
    "One of the two is wrong, and the tuned model was taught the one it is not scored by.",
)
SPELLING = _rule(
    "VT-D110",
    "warning",
    "A class is spelt in several ways.",
    "Write it everywhere as it is written most often.",
    "They are different classes to the metric: a right answer in the other spelling is wrong.",
)
UNSEEN_CLASS = _rule(
    "VT-D111",
    "warning",
    "A held-out example has a class that is not in the training data.",
    "Add training examples of the class, or correct it.",
    "What was never shown cannot be learnt.",
)
IMBALANCE = _rule(
    "VT-D112",
    "advice",
    "One class has more than ten times the examples of another.",
    "Add examples of the rare class, or leave some of the frequent one out.",
    "Naming the frequent class is then nearly always right, and the rare one is not learnt.",
)
ONE_CLASS = _rule(
    "VT-D113",
    "warning",
    "All training examples have the same class.",
    "Add examples of the other classes.",
    "The tuned model learns to say one word.",
)
UNTESTED_CLASS = _rule(
    "VT-D114",
    "advice",
    "A class of the training data is not in the test split.",
    "Put examples of it into the test split.",
    "The score says nothing about it.",
)
NO_CLASSES = _rule(
    "VT-D115",
    "warning",
    "Nearly every answer of a classification is another one.",
    "Answer with one of a few classes, or set another task.",
    "Classes that occur once cannot be learnt; the metric of the task is whole equality.",
)
NOT_IN_CONTEXT = _rule(
    "VT-D120",
    "warning",
    "An answer is not in the text it is to be taken from.",
    "Copy the answer from the context, or correct the context.",
    "It teaches to answer from elsewhere. One phrase that stands for `no answer` is left alone.",
)
WHOLE_CONTEXT = _rule(
    "VT-D121",
    "warning",
    "An answer is all of the text, or nearly so.",
    "Cut the answer to the words that were asked for.",
    "It teaches to repeat the prompt.",
)
LONG_SUMMARY = _rule(
    "VT-D122",
    "warning",
    "A summary is longer than what it sums up.",
    "Shorten it; perhaps prompt and answer are interchanged.",
    "It teaches to write at length.",
)
COPIED_SUMMARY = _rule(
    "VT-D123",
    "warning",
    "A summary is copied from its source, word for word.",
    "Write it in words of its own.",
    "It teaches to copy.",
)
SHORT_ANSWER = _rule(
    "VT-D124",
    "warning",
    "An answer is one word where the others are long.",
    "Write the whole answer, or remove the example.",
    "Such answers are mostly leftovers: `N/A`, `None`, `Yes`.",
)
DRIFT = _rule(
    "VT-D130",
    "warning",
    "A held-out split asks in another way than the training split.",
    "Use the same fields in the same order, and the same system instruction.",
    "The service's guidance: prompts in production look like those of the training data.",
)
ODD_PROMPT = _rule(
    "VT-D131",
    "warning",
    "A prompt lacks the fields that the others have.",
    "Write it as the others are.",
    "The tuned model is asked in one way; what it learnt in another helps it less.",
)
OUTLIER = _rule(
    "VT-D132",
    "advice",
    "An example is much longer than the others.",
    "Look whether several examples, or a whole document, ran into one.",
    "More than twenty times the median.",
)
FENCE = _rule(
    "VT-D140",
    "warning",
    "A code fence is opened and not closed.",
    "Close it, or remove it.",
    "The tuned model learns to leave it open.",
)
UNBALANCED = _rule(
    "VT-D141",
    "advice",
    "An answer opens a quote or a bracket and does not close it.",
    "Close it; often the answer is cut off.",
    "The tuned model learns to leave it open.",
)
TRUNCATED = _rule(
    "VT-D142",
    "warning",
    "An answer ends in the middle of a sentence.",
    "Write the rest, or remove the example.",
    "Nearly all others end with a full stop or the like. It teaches to stop early.",
)
DAMAGED = _rule(
    "VT-D143",
    "warning",
    "A text was decoded in the wrong way.",
    "Read its source again, as UTF-8.",
    "It holds a replacement character, or what UTF-8 looks like when it is read as Latin-1.",
)
LEFTOVER = _rule(
    "VT-D144",
    "advice",
    "A text holds a leftover of a template or of another model.",
    "Fill it in, or remove the example.",
    "Placeholders, filler text and phrases of other models are learnt like anything else.",
)
SCRIPT = _rule(
    "VT-D145",
    "advice",
    "An answer is written in another script than nearly all others.",
    "Look whether it belongs here.",
    "Languages that are mixed by accident are answered in by accident.",
)

# Secrets and people: VT-D2

PRIVATE_KEY = _rule(
    "VT-D201",
    "warning",
    "A text holds a private key.",
    "Replace the key wherever it is used, and remove it here (`vertune dataset redact`).",
    "What a model was tuned on it can be made to say.",
)
TOKEN = _rule(
    "VT-D202",
    "warning",
    "A text holds an access key or token.",
    "Revoke it, and remove it here (`vertune dataset redact`).",
    "What a model was tuned on it can be made to say.",
)
PASSWORD = _rule(
    "VT-D203",
    "warning",
    "A text holds a password.",
    "Change it, and remove it here (`vertune dataset redact`).",
    "What a model was tuned on it can be made to say.",
)
CARD = _rule(
    "VT-D210",
    "warning",
    "A text holds the number of a payment card.",
    "Remove it, or replace it by an invented one that fails the checksum.",
    "Its checksum is right. What a model was tuned on it can be made to say.",
)
IBAN = _rule(
    "VT-D211",
    "warning",
    "A text holds the number of a bank account (IBAN).",
    "Remove it, or replace it by an invented one that fails the checksum.",
    "Its checksum is right. What a model was tuned on it can be made to say.",
)
EMAIL = _rule(
    "VT-D212",
    "warning",
    "A text holds an e-mail address.",
    "Replace it by one at example.com, if it is of a person (`vertune dataset redact`).",
    "What a model was tuned on it can be made to say. Reserved domains are left alone.",
)
PHONE = _rule(
    "VT-D213",
    "warning",
    "A text holds a telephone number.",
    "Replace it by an invented one, if it is of a person (`vertune dataset redact`).",
    "What a model was tuned on it can be made to say. Without a + it has groups as a number has"
    " them, or a word such as tel. before it, and is in the plan of one of 27 large countries;"
    " other digits may be an order's. Numbers with 555 01xx are left alone.",
)
ADDRESS = _rule(
    "VT-D214",
    "advice",
    "A text holds a public IP address.",
    "Replace it by one that is set aside for examples, such as 192.0.2.1 or 2001:db8::1.",
    "It can be that of a person. Private and reserved addresses are left alone.",
)

RULES: Mapping[str, Rule] = _RULES
