"""Small ONNX graphs with known outputs, by group. `operator_cases.py` is the command that writes them."""
