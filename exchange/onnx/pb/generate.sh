# Writes onnx.pb.go anew: protoc and onnx.proto are Debian's protobuf-compiler and libonnx-dev,
# protoc-gen-go is that of go.mod. By way of a descriptor, which has no comments.
set -eu
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
go build -o "$tmp/protoc-gen-go" google.golang.org/protobuf/cmd/protoc-gen-go
protoc -I/usr/include/onnx --descriptor_set_out="$tmp/onnx.pb" onnx.proto
protoc --plugin="$tmp/protoc-gen-go" --descriptor_set_in="$tmp/onnx.pb" \
  --go_out=. --go_opt=paths=source_relative --go_opt=Monnx.proto=synfire/exchange/onnx/pb onnx.proto
