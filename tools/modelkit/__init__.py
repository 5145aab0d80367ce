"""What the tools share: pinned downloads, readers of other frameworks' weights, and an ONNX graph builder.

These modules import each other and numpy/onnx only, and nothing here reads or writes a path that its caller did not name,
except the download cache (`packages.cache_folder`).
"""
