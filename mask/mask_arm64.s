//go:build !purego

#include "textflag.h"

// The two functions load their arguments and go on in body. Every processor of
// this architecture has the vectors of 16 octets that it uses.

// func xor(p []byte, k Key)
TEXT ·xor(SB), NOSPLIT|NOFRAME, $0-28
	MOVD  p_base+0(FP), R1
	MOVD  p_len+8(FP), R2
	MOVWU k+24(FP), R3
	MOVD  R1, R0
	JMP   body<>(SB)

// func xorTo(dst, src []byte, k Key)
TEXT ·xorTo(SB), NOSPLIT|NOFRAME, $0-52
	MOVD  dst_base+0(FP), R0
	MOVD  dst_len+8(FP), R4
	MOVD  src_base+24(FP), R1
	MOVD  src_len+32(FP), R2
	MOVWU k+48(FP), R3
	CMP   R2, R4
	CSEL  LO, R4, R2, R2 // the shorter decides
	JMP   body<>(SB)

// body masks R2 octets at R1 with the key R3 and puts them at R0, which is
// either R1 or overlaps nothing.
//
// It goes as on amd64, where more is said: no loop over octets or words, but a
// few that may overlap, all loaded before the first is stored. Those that start
// at a multiple of four octets from the payload's start take the key as it is,
// those that do so from its end take it rotated by R2.
//
//	R3, R4  key; key rotated by R2
//	R5-R10  addresses and offsets of words, and what they hold
TEXT body<>(SB), NOSPLIT|NOFRAME, $0-0
	LSL  $3, R2, R5
	RORW R5, R3, R4 // counts modulo 32
	CMP  $16, R2
	BLO  under16

	VDUP R3, V0.S4
	VDUP R4, V1.S4
	CMP  $64, R2
	BHI  over64

	// 16 to 64: vectors at 0, min(16, the last multiple of 4 that fits),
	// max(R2-32, R2%4) and R2-16.
	SUB   $16, R2, R5
	AND   $~3, R5, R6
	MOVD  $16, R7
	CMP   R7, R6
	CSEL  HI, R7, R6, R6
	AND   $3, R2, R7
	SUB   $32, R2, R8
	CMP   R7, R8          // signed: R8 may be below zero
	CSEL  LT, R7, R8, R8
	ADD   R6, R1, R9
	ADD   R8, R1, R10
	ADD   R5, R1, R11
	FMOVQ (R1), F2
	FMOVQ (R9), F3
	FMOVQ (R10), F4
	FMOVQ (R11), F5
	VEOR  V0.B16, V2.B16, V2.B16
	VEOR  V0.B16, V3.B16, V3.B16
	VEOR  V1.B16, V4.B16, V4.B16
	VEOR  V1.B16, V5.B16, V5.B16
	ADD   R6, R0, R9
	ADD   R8, R0, R10
	ADD   R5, R0, R11
	FMOVQ F2, (R0)
	FMOVQ F3, (R9)
	FMOVQ F4, (R10)
	FMOVQ F5, (R11)
	RET

over64:
	// The first 16 octets and the last 64 are masked in registers and stored in
	// the end, the blocks of 64 between them from the first aligned octet of R0.
	//
	//	R5      offset of the last 64: end of the loop, exclusive, for the start
	//	        of a block
	//	R6      where a block starts: 0 to 15, and 64 more each time
	//	R7, R8  the same as addresses
	//	V3      key for a block
	SUB   $64, R2, R5
	ADD   R5, R1, R7
	FMOVQ (R1), F2
	FLDPQ (R7), (F4, F5)
	FLDPQ 32(R7), (F6, F7)
	VEOR  V0.B16, V2.B16, V2.B16
	VEOR  V1.B16, V4.B16, V4.B16
	VEOR  V1.B16, V5.B16, V5.B16
	VEOR  V1.B16, V6.B16, V6.B16
	VEOR  V1.B16, V7.B16, V7.B16

	NEG  R0, R6
	AND  $15, R6, R6
	LSL  $3, R6, R7
	RORW R7, R3, R3
	VDUP R3, V3.S4
	CMP  R5, R6
	BHS  ends
	ADD  R6, R1, R7
	ADD  R6, R0, R8

	PCALIGN $16
block:
	FLDPQ (R7), (F16, F17)
	FLDPQ 32(R7), (F18, F19)
	ADD   $64, R7
	VEOR  V3.B16, V16.B16, V16.B16
	VEOR  V3.B16, V17.B16, V17.B16
	VEOR  V3.B16, V18.B16, V18.B16
	VEOR  V3.B16, V19.B16, V19.B16
	FSTPQ (F16, F17), (R8)
	FSTPQ (F18, F19), 32(R8)
	ADD   $64, R8
	ADD   $64, R6
	CMP   R5, R6
	BLO   block

ends:
	ADD   R5, R0, R8
	FMOVQ F2, (R0)
	FSTPQ (F4, F5), (R8)
	FSTPQ (F6, F7), 32(R8)
	RET

under16:
	CMP $8, R2
	BLO under8

	// 8 to 15: words of 8 octets at both ends.
	ORR  R3<<32, R3, R3
	ORR  R4<<32, R4, R4
	SUB  $8, R2, R5
	MOVD (R1), R6
	MOVD (R1)(R5), R7
	EOR  R3, R6, R6
	EOR  R4, R7, R7
	MOVD R6, (R0)
	MOVD R7, (R0)(R5)
	RET

under8:
	CMP $4, R2
	BLO under4

	// 4 to 7: words of 4 octets at both ends.
	SUB   $4, R2, R5
	MOVWU (R1), R6
	MOVWU (R1)(R5), R7
	EORW  R3, R6, R6
	EORW  R4, R7, R7
	MOVW  R6, (R0)
	MOVW  R7, (R0)(R5)
	RET

under4:
	// 1 to 3: the first octet, the middle one and the last, perhaps the same.
	// The last is one before where R4 applies.
	CBZ   R2, done
	LSR   $1, R2, R5
	SUB   $1, R2, R6
	MOVBU (R1), R7
	MOVBU (R1)(R5), R8
	MOVBU (R1)(R6), R9
	LSL   $3, R5, R10
	RORW  R10, R3, R10
	RORW  $24, R4, R4
	EORW  R3, R7, R7
	EORW  R10, R8, R8
	EORW  R4, R9, R9
	MOVB  R7, (R0)
	MOVB  R8, (R0)(R5)
	MOVB  R9, (R0)(R6)

done:
	RET
