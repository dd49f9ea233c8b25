"""The paths of the program's configuration and state."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_config_path, user_state_path


@dataclass(frozen=True, slots=True)
class Paths:
    """The configuration file, which the user writes, and the state file, which the program writes.

    `of_user` respects ``XDG_CONFIG_HOME`` and ``XDG_STATE_HOME``.
    """

    config: Path
    state: Path

    @classmethod
    def of_user(cls) -> Paths:
        """Return the paths for the user who runs the program."""
        return cls(
            user_config_path("rawscope") / "config.toml", user_state_path("rawscope") / "state.json"
        )

    @property
    def state_folder(self) -> Path:
        """The folder of the state file, the audit, and the database of drafts."""
        return self.state.parent
