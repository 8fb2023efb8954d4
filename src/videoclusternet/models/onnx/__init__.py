"""Any face-ID model in an ONNX file, run in torch and trainable."""
