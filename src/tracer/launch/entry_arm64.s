#include "textflag.h"

// entry runs before the Go runtime: see entry.go. The kernel leaves argc at 0(RSP), where the runtime expects it. What is
// called follows Go's internal convention (its argument in R0), which a function's address in a variable stands for.
TEXT ·entry(SB),NOSPLIT|NOFRAME,$0
	MOVD	RSP, R0
	SUB	$64, RSP		// the callee may spill its argument into its caller's frame
	MOVD	·first(SB), R26
	MOVD	(R26), R1
	BL	(R1)
	ADD	$64, RSP
	JMP	_rt0_arm64_linux(SB)
