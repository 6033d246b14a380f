package kernel

//go:generate go run -C ../../tools/asm . -kernels gemm -out ../../internal/kernel/zgemm_amd64.s -stubs ../../internal/kernel/zgemm_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels pack -out ../../internal/kernel/zpack_amd64.s -stubs ../../internal/kernel/zpack_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels rows -out ../../internal/kernel/zrows_amd64.s -stubs ../../internal/kernel/zrows_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels events -out ../../internal/kernel/zevents_amd64.s -stubs ../../internal/kernel/zevents_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels lif -out ../../internal/kernel/zlif_amd64.s -stubs ../../internal/kernel/zlif_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels elementwise -out ../../internal/kernel/zelementwise_amd64.s -stubs ../../internal/kernel/zelementwise_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels norm -out ../../internal/kernel/znorm_amd64.s -stubs ../../internal/kernel/znorm_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels pool -out ../../internal/kernel/zpool_amd64.s -stubs ../../internal/kernel/zpool_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels walk -out ../../internal/kernel/zwalk_amd64.s -stubs ../../internal/kernel/zwalk_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels relax -out ../../internal/kernel/zrelax_amd64.s -stubs ../../internal/kernel/zrelax_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels signed -out ../../internal/kernel/zsigned_amd64.s -stubs ../../internal/kernel/zsigned_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels lists -out ../../internal/kernel/zlists_amd64.s -stubs ../../internal/kernel/zlists_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels logistic -out ../../internal/kernel/zlogistic_amd64.s -stubs ../../internal/kernel/zlogistic_amd64.go -pkg kernel
//go:generate go run -C ../../tools/asm . -kernels philox -out ../../internal/kernel/zphilox_amd64.s -stubs ../../internal/kernel/zphilox_amd64.go -pkg kernel
