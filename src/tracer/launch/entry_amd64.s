#include "textflag.h"

// entry runs before the Go runtime, which would overwrite what it notes: see entry.go. The kernel leaves argc at 0(SP),
// where the runtime expects it.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	SUBQ	$64, SP
	MOVQ	$1, R12
next:
	MOVQ	$13, AX			// rt_sigaction(R12, NULL, SP, 8)
	MOVQ	R12, DI
	XORQ	SI, SI
	MOVQ	SP, DX
	MOVQ	$8, R10
	SYSCALL
	TESTQ	AX, AX
	JNE	after
	CMPQ	0(SP), $1		// SIG_IGN
	JNE	after
	MOVQ	R12, CX
	DECQ	CX
	MOVQ	$1, R13
	SHLQ	CX, R13
	ORQ	R13, ·ignored(SB)
after:
	INCQ	R12
	CMPQ	R12, $65
	JLT	next
	MOVQ	$14, AX			// rt_sigprocmask(SIG_BLOCK, NULL, blocked, 8)
	XORQ	DI, DI
	XORQ	SI, SI
	LEAQ	·blocked(SB), DX
	MOVQ	$8, R10
	SYSCALL
	XORQ	R12, R12
descriptor:
	MOVQ	$72, AX			// fcntl(R12, F_GETFD)
	MOVQ	R12, DI
	MOVQ	$1, SI
	SYSCALL
	CMPQ	AX, $-9			// EBADF
	JNE	open
	MOVQ	R12, CX
	MOVQ	$1, R13
	SHLQ	CX, R13
	ORQ	R13, ·closed(SB)
open:
	INCQ	R12
	CMPQ	R12, $3
	JLT	descriptor
	MOVQ	$1, ·noted(SB)
	ADDQ	$64, SP
	JMP	_rt0_amd64_linux(SB)
