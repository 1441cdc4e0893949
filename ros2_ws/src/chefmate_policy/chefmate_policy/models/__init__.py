"""Models by name: where they live, the manifest, fetching, checking."""

from chefmate_policy.models.folder import models_folder
from chefmate_policy.models.source import ModelSource, find_model

__all__ = ['ModelSource', 'find_model', 'models_folder']
