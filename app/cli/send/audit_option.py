"""Where ``send`` and ``replay`` write down what they send, unless the user does not want that."""

from __future__ import annotations

from contextlib import ExitStack

from app.cli.output import CommandError, say
from app.cli.send.prompt import state_folder
from app.config.config_file import Paths, read_audit, read_config
from core.forge.journal.audit import Audit
from core.forge.values import SendMethod
from core.wire.model.text import safe

WITHOUT_AUDIT = "--no-audit sends without it"


def is_audited(wanted: bool) -> bool:
    """Return True if neither the command line nor the configuration does without the audit."""
    return wanted and _is_configured()


def open_audit(wanted: bool, way: SendMethod, stack: ExitStack) -> Audit | None:
    """The audit file for what leaves on `way`, closed with the `stack`; None where the command line
    or the configuration does without. Raises `CommandError` where it cannot be written: then
    nothing is sent."""
    if not is_audited(wanted):
        return None
    try:
        audit = Audit(state_folder(), way)
    except OSError as error:
        raise unaudited(error) from error
    stack.callback(audit.close)
    return audit


def unaudited(error: OSError) -> CommandError:
    """Why nothing is sent where it cannot be written down."""
    name = str(error.filename or "")  # relative where a folder on the way is the trouble
    where = f"the audit {name}" if name.startswith("/") else f"the audit in {state_folder()}"
    reason = f"{safe(where)}: {error.strerror}"
    return CommandError(f"{reason}; {WITHOUT_AUDIT}")


def _is_configured() -> bool:
    """What the configuration file says; what is wrong with it is said."""
    path = Paths.of_user().config
    complaints: list[str] = []
    content = read_config(path, complaints)
    wanted = read_audit(path, content, complaints)
    for complaint in complaints:
        say(f"rawscope: {safe(complaint)}")
    return wanted
