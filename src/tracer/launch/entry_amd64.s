#include "textflag.h"

// entry runs before the Go runtime: see entry.go. The kernel leaves argc at 0(SP), where the runtime expects it. What is
// called follows Go's internal convention (its argument in AX, X15 zero), which a function's address in a variable stands for.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVQ	SP, AX
	SUBQ	$64, SP			// the callee may spill its argument into its caller's frame
	XORPS	X15, X15
	MOVQ	·first(SB), DX
	MOVQ	(DX), CX
	CALL	CX
	ADDQ	$64, SP
	JMP	_rt0_amd64_linux(SB)
