package ptrace

func stackPointer(r *registers) uint64 { return r.raw[31] }
