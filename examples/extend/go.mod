module example.com/extend

go 1.26.0

require synfire v0.0.0

require (
	github.com/goccy/go-yaml v1.19.2 // indirect
	golang.org/x/image v0.30.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)

replace synfire => ../..
