"""Cloud Storage on the emulator's origin: JSON API, uploads, downloads, and the XML path."""
