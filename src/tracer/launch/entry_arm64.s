#include "textflag.h"

// entry runs before the Go runtime, which would overwrite what it notes: see entry.go. The kernel leaves argc at 0(RSP),
// where the runtime expects it.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	SUB	$64, RSP
	MOVD	$1, R19
next:
	MOVD	$134, R8		// rt_sigaction(R19, NULL, RSP, 8)
	MOVD	R19, R0
	MOVD	$0, R1
	MOVD	RSP, R2
	MOVD	$8, R3
	SVC
	CBNZ	R0, after
	MOVD	0(RSP), R4
	CMP	$1, R4			// SIG_IGN
	BNE	after
	SUB	$1, R19, R5
	MOVD	$1, R6
	LSL	R5, R6, R6
	MOVD	·ignored(SB), R7
	ORR	R6, R7, R7
	MOVD	R7, ·ignored(SB)
after:
	ADD	$1, R19
	CMP	$65, R19
	BLT	next
	MOVD	$135, R8		// rt_sigprocmask(SIG_BLOCK, NULL, blocked, 8)
	MOVD	$0, R0
	MOVD	$0, R1
	MOVD	$·blocked(SB), R2
	MOVD	$8, R3
	SVC
	MOVD	$0, R19
descriptor:
	MOVD	$25, R8			// fcntl(R19, F_GETFD)
	MOVD	R19, R0
	MOVD	$1, R1
	SVC
	CMN	$9, R0			// EBADF
	BNE	open
	MOVD	$1, R6
	LSL	R19, R6, R6
	MOVD	·closed(SB), R7
	ORR	R6, R7, R7
	MOVD	R7, ·closed(SB)
open:
	ADD	$1, R19
	CMP	$3, R19
	BLT	descriptor
	MOVD	$1, R4
	MOVD	R4, ·noted(SB)
	ADD	$64, RSP
	JMP	_rt0_arm64_linux(SB)
