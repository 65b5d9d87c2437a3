"""Reads: text in, Reading out. Only read.py touches the database."""

import os

# onnxruntime tells its maker which machine runs which model, unless it is told not to before it is loaded.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
