"""Every setting of Avviso: what it is called in the environment, what it means, and what is refused."""

from consumer.settings.loading import SettingsError, load
from consumer.settings.model import PREFIX, Settings

__all__ = ["PREFIX", "Settings", "SettingsError", "load"]
