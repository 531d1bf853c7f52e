//go:build !purego

#include "textflag.h"

// The two functions load their arguments and go on in body. Without AVX2 they
// go on in the generic functions, which find the arguments where they are.

// func xor(p []byte, k Key)
TEXT ·xor(SB), NOSPLIT|NOFRAME, $0-28
	CMPB ·hasAVX2(SB), $0
	JE   generic
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), BX
	MOVL k+24(FP), AX
	MOVQ SI, DI
	JMP  body<>(SB)

generic:
	JMP ·xorGeneric(SB)

// func xorTo(dst, src []byte, k Key)
TEXT ·xorTo(SB), NOSPLIT|NOFRAME, $0-52
	CMPB ·hasAVX2(SB), $0
	JE   generic
	MOVQ dst_base+0(FP), DI
	MOVQ src_base+24(FP), SI
	MOVQ dst_len+8(FP), CX
	MOVQ src_len+32(FP), BX
	MOVL k+48(FP), AX
	CMPQ CX, BX
	CMOVQLT CX, BX // the shorter decides
	JMP  body<>(SB)

generic:
	JMP ·xorToGeneric(SB)

// body masks BX octets at SI with the key AX and puts them at DI, which is
// either SI or overlaps nothing.
//
// There is no loop over octets or words. A payload is covered by a few words or
// vectors that may overlap: an octet that two of them hold comes out of both
// alike, as long as all are loaded before the first is stored (where DI is SI,
// masking twice would be not masking). Every word starts at a multiple of four
// octets from the payload's start, where the key applies as it is, or from its
// end, where the key applies rotated by BX.
//
// Lengths from 32 to 128, those of most messages, take one path, with four
// vectors of which the inner two move with the length: what they cost too much
// is less than what it costs to guess wrong at a branch when lengths vary.
//
//	AX, DX  key; key rotated by BX
//	CX      bits to rotate by; scratch
TEXT body<>(SB), NOSPLIT|NOFRAME, $0-0
	// Octet i of the payload takes byte i%4 of the key, so the octet at offset
	// BX takes the lowest of the key rotated right by 8*BX bits. RORL counts
	// modulo 32.
	LEAQ (BX*8), CX
	MOVL AX, DX
	RORL CX, DX

	CMPQ BX, $32
	JB   under32

	VMOVD        AX, X0
	VMOVD        DX, X1
	VPBROADCASTD X0, Y0
	VPBROADCASTD X1, Y1
	CMPQ         BX, $128
	JA           over128

	// 32 to 128: vectors at 0, min(32, the last multiple of 4 that fits),
	// max(BX-64, BX%4) and BX-32. Up to 64 the outer two cover everything and the
	// inner two must only stay inside; beyond, the four follow each other. R9, R10
	// and R8 are the offsets of the second, third and last.
	LEAQ    -32(BX), R8
	MOVQ    R8, R9
	ANDQ    $~3, R9
	MOVL    $32, CX
	CMPQ    R9, CX
	CMOVQHI CX, R9
	MOVQ    BX, CX
	ANDQ    $3, CX
	LEAQ    -64(BX), R10
	CMPQ    R10, CX
	CMOVQLT CX, R10
	VPXOR   (SI), Y0, Y2
	VPXOR   (SI)(R9*1), Y0, Y3
	VPXOR   (SI)(R10*1), Y1, Y4
	VPXOR   (SI)(R8*1), Y1, Y5
	VMOVDQU Y2, (DI)
	VMOVDQU Y3, (DI)(R9*1)
	VMOVDQU Y4, (DI)(R10*1)
	VMOVDQU Y5, (DI)(R8*1)
	VZEROUPPER
	RET

over128:
	// The first 32 octets and the last 128 are masked in registers and stored in
	// the end. Between them, the loop goes in blocks of 128 from the first
	// aligned octet of DI: stores that cross no cache line are what makes the
	// loop as fast as the processor can store. Where the loop ends depends on
	// the alignment, but it covers everything up to the last 128 octets and
	// leaves none of its own beyond BX.
	//
	//	R9   end of the loop, exclusive, for the start of a block
	//	R10  where a block starts: 0 to 31, and 128 more each time
	//	Y3   key for a block
	LEAQ  -128(BX), R9
	VPXOR (SI), Y0, Y2
	VPXOR (SI)(R9*1), Y1, Y4
	VPXOR 32(SI)(R9*1), Y1, Y5
	VPXOR 64(SI)(R9*1), Y1, Y6
	VPXOR 96(SI)(R9*1), Y1, Y7

	MOVL         DI, R10
	NEGL         R10
	ANDL         $31, R10
	LEAQ         (R10*8), CX
	RORL         CX, AX
	VMOVD        AX, X3
	VPBROADCASTD X3, Y3
	CMPQ         R10, R9
	JAE          ends

	PCALIGN $32
block:
	VPXOR   (SI)(R10*1), Y3, Y8
	VPXOR   32(SI)(R10*1), Y3, Y9
	VPXOR   64(SI)(R10*1), Y3, Y10
	VPXOR   96(SI)(R10*1), Y3, Y11
	VMOVDQA Y8, (DI)(R10*1)
	VMOVDQA Y9, 32(DI)(R10*1)
	VMOVDQA Y10, 64(DI)(R10*1)
	VMOVDQA Y11, 96(DI)(R10*1)
	ADDQ    $128, R10
	CMPQ    R10, R9
	JB      block

ends:
	VMOVDQU Y2, (DI)
	VMOVDQU Y4, (DI)(R9*1)
	VMOVDQU Y5, 32(DI)(R9*1)
	VMOVDQU Y6, 64(DI)(R9*1)
	VMOVDQU Y7, 96(DI)(R9*1)
	VZEROUPPER
	RET

under32:
	CMPQ BX, $16
	JB   under16

	// 16 to 31: vectors of 16 octets at both ends.
	MOVOU  (SI), X2
	MOVOU  -16(SI)(BX*1), X3
	MOVQ   AX, X0
	MOVQ   DX, X1
	PSHUFD $0, X0, X0
	PSHUFD $0, X1, X1
	PXOR   X0, X2
	PXOR   X1, X3
	MOVOU  X2, (DI)
	MOVOU  X3, -16(DI)(BX*1)
	RET

under16:
	CMPQ BX, $8
	JB   under8

	// 8 to 15: words of 8 octets at both ends. Twice the key makes one, and
	// rotating that by 8*BX counts modulo 64.
	MOVL AX, DX
	SHLQ $32, AX
	ORQ  DX, AX
	MOVQ AX, DX
	RORQ CX, DX
	MOVQ (SI), R11
	MOVQ -8(SI)(BX*1), R12
	XORQ AX, R11
	XORQ DX, R12
	MOVQ R11, (DI)
	MOVQ R12, -8(DI)(BX*1)
	RET

under8:
	CMPQ BX, $4
	JB   under4

	// 4 to 7: words of 4 octets at both ends.
	MOVL (SI), R11
	MOVL -4(SI)(BX*1), R12
	XORL AX, R11
	XORL DX, R12
	MOVL R11, (DI)
	MOVL R12, -4(DI)(BX*1)
	RET

under4:
	// 1 to 3: the first octet, the middle one and the last, perhaps the same.
	// The last is one before where DX applies.
	TESTQ   BX, BX
	JE      done
	MOVQ    BX, R9
	SHRQ    $1, R9
	MOVBLZX (SI), R11
	MOVBLZX (SI)(R9*1), R12
	MOVBLZX -1(SI)(BX*1), R13
	XORL    AX, R11
	LEAQ    (R9*8), CX
	RORL    CX, AX
	ROLL    $8, DX
	XORL    AX, R12
	XORL    DX, R13
	MOVB    R11, (DI)
	MOVB    R12, (DI)(R9*1)
	MOVB    R13, -1(DI)(BX*1)

done:
	RET
