// Package pb is the messages of ONNX as Go structs, generated from the published onnx.proto (version
// 1.12, that of Debian's libonnx-dev, /usr/include/onnx/onnx.proto) by protoc and protoc-gen-go.
// Comments are left behind: the specification has them, https://onnx.ai/onnx/intro.
package pb

//go:generate sh generate.sh
