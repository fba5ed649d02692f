"""What tests of an editor say to it, and read of it."""

from chalicelib.ot.editor import Editor, Sent
from chalicelib.ot.state import value_at
from chalicelib.wire.codes import Code
from chalicelib.wire.documents import Commit
from chalicelib.wire.messages import DocCommits, ErrorMessage, OpAck, OpCommitted, OpRejected, OpSubmit
from chalicelib.wire.operations import Create, Operation, Set
from tests.unit.ot.faulty import DOCUMENT

ME, BOB = "ada00000", "bob00000"
LAMP = f"{BOB}.1"


def commit(revision: int, *operations: Operation, client: str = BOB, seq: int | None = None, base: int = -1) -> Commit:
    """An entry of the log."""
    return Commit(
        revision=revision,
        client=client,
        seq=revision if seq is None else seq,
        user_id=client,
        at_ms=0,
        base=revision - 1 if base < 0 else base,
        operations=operations,
    )


LIT = commit(1, Create(id=LAMP, props={"t": "abc", "n": 1}))


def told(*commits: Commit, head: int = 0) -> OpCommitted:
    """A push."""
    return OpCommitted(document_id=DOCUMENT, head=head or max(c.revision for c in commits), commits=commits)


def page(since: int, *commits: Commit, head: int = 0) -> DocCommits:
    """The answer to a fetch."""
    return DocCommits(document_id=DOCUMENT, since=since, head=head or since + len(commits), commits=commits)


def ack(entry: Commit) -> OpAck:
    """An acknowledgement."""
    return OpAck(document_id=DOCUMENT, operation=entry, transformed=False)


def rejected(code: Code, seq: int = 1, client: str = ME) -> OpRejected:
    """A refusal."""
    return OpRejected(
        document_id=DOCUMENT, client=client, seq=seq, code=code, message="no", correlation_id="c", operations=()
    )


def error(code: Code, request: str | None, retry_after_ms: int | None = None) -> ErrorMessage:
    """What a message broke."""
    return ErrorMessage(id=request, code=code, message="no", correlation_id="c", retry_after_ms=retry_after_ms)


def opened(*commits: Commit) -> Editor:
    """An editor that is connected and has read the log."""
    editor = Editor(DOCUMENT, ME)
    editor.reconnected(0)
    editor.poll(0)
    editor.receive(page(0, *(commits or (LIT,))), 0)
    return editor


def sent(editor: Editor, now_ms: int = 0) -> Sent | None:
    """The one message that it sends now."""
    messages = editor.poll(now_ms).messages
    assert len(messages) <= 1
    return messages[0] if messages else None


def submitted(editor: Editor, now_ms: int = 0) -> OpSubmit:
    """The one submission that it sends now."""
    message = sent(editor, now_ms)
    assert isinstance(message, OpSubmit)
    return message


def done(editor: Editor) -> bool:
    """Whether all is in the log or rejected; a function, because the type checker takes properties for constants."""
    return editor.settled


def prop(editor: Editor, *path: str, of: str = LAMP) -> object:
    """A property, as it is shown."""
    value: object = value_at(editor.entities[of].props, path)
    return value


def write(value: object, *path: str) -> Set:
    """A property of the lamp gets a value."""
    return Set(id=LAMP, path=path or ("color",), value=value)
