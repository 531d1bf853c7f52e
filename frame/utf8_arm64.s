//go:build !purego

#include "textflag.h"

// UTF-8 is judged 16 octets at a time, by the same lookups as on amd64, where
// more is said of them. What came before a vector is shifted into place from the
// vector before.
//
// In both functions:
//
//	R0, R1  the text and its length
//	R2      how many octets have been judged and are right so far
//	R3      the last R2 at which the loop may go on
//	R4      the address of the octet at R2
//	V0      a bit for each mistake found
//	V1      the vector before R2
//	V8-V14  lookup's three tables; 0f, e0, f0 and 80 everywhere

// TABLES prepares V0 and V8 to V14, and V1 for the beginning of a text.
#define TABLES \
	MOVD  $·lookup(SB), R5                \
	VLD1  (R5), [V8.B16, V9.B16, V10.B16] \
	VMOVI $0x0f, V11.B16                  \
	VMOVI $0xe0, V12.B16                  \
	VMOVI $0xf0, V13.B16                  \
	VMOVI $0x80, V14.B16                  \
	VEOR  V0.B16, V0.B16, V0.B16          \
	VEOR  V1.B16, V1.B16, V1.B16

// JUDGE adds the mistakes in the 16 octets of register in to V0, given those
// one, two and three before in V2 to V4. It uses V2 to V6. An octet is e0 or more
// if the lesser of the two is e0.
#define JUDGE(in) \
	VUSHR $4, V2.B16, V5.B16        \
	VAND  V11.B16, V2.B16, V2.B16   \
	VTBL  V5.B16, [V8.B16], V5.B16  \
	VTBL  V2.B16, [V9.B16], V2.B16  \
	VUSHR $4, in.B16, V6.B16        \
	VTBL  V6.B16, [V10.B16], V6.B16 \
	VUMIN V12.B16, V3.B16, V3.B16   \
	VCMEQ V12.B16, V3.B16, V3.B16   \
	VUMIN V13.B16, V4.B16, V4.B16   \
	VCMEQ V13.B16, V4.B16, V4.B16   \
	VORR  V3.B16, V4.B16, V3.B16    \
	VAND  V14.B16, V3.B16, V3.B16   \
	VAND  V2.B16, V5.B16, V2.B16    \
	VAND  V6.B16, V2.B16, V2.B16    \
	VEOR  V3.B16, V2.B16, V2.B16    \
	VORR  V2.B16, V0.B16, V0.B16

// AFTER is JUDGE for the vector in that comes after the vector before.
#define AFTER(before, in) \
	VEXT $15, in.B16, before.B16, V2.B16 \
	VEXT $14, in.B16, before.B16, V3.B16 \
	VEXT $13, in.B16, before.B16, V4.B16 \
	JUDGE(in)

// ANY makes R5 other than zero if v is. It uses R6.
#define ANY(v) \
	VMOV v.D[0], R5 \
	VMOV v.D[1], R6 \
	ORR  R6, R5, R5

// ASCII sets EQ if V16 to V19 are ASCII. It uses V2, V3, R5 and R6.
#define ASCII \
	VORR V16.B16, V17.B16, V2.B16 \
	VORR V18.B16, V19.B16, V3.B16 \
	VORR V2.B16, V3.B16, V2.B16   \
	ANY(V2)                       \
	TST  $0x8080808080808080, R5

// LAST judges the last 16 octets of a text, some of them again, of which those
// three before are in memory.
#define LAST \
	SUB   $16, R1, R5 \
	ADD   R0, R5      \
	FMOVQ (R5), F16   \
	SUB   $1, R5      \
	FMOVQ (R5), F2    \
	SUB   $1, R5      \
	FMOVQ (R5), F3    \
	SUB   $1, R5      \
	FMOVQ (R5), F4    \
	JUDGE(V16)

// func valid(p []byte) (n int)
TEXT ·valid(SB), NOSPLIT|NOFRAME, $0-32
	MOVD p_base+0(FP), R0
	MOVD p_len+8(FP), R1
	MOVD $n+24(FP), R8
	MOVD $0, R2
	CMP  $16, R1
	BLT  done
	TABLES
	MOVD R0, R4

ascii:
	SUB $64, R1, R3
	CMP R3, R2
	BGT rest

asciiLoop:
	VLD1.P 64(R4), [V16.B16, V17.B16, V18.B16, V19.B16]
	ASCII
	BNE    text
	VMOV   V19.B16, V1.B16
	ADD    $64, R2
	CMP    R3, R2
	BLE    asciiLoop
	B      rest

textLoop:
	VLD1.P 64(R4), [V16.B16, V17.B16, V18.B16, V19.B16]

text:
	AFTER(V1, V16)
	AFTER(V16, V17)
	AFTER(V17, V18)
	AFTER(V18, V19)
	ANY(V0)
	CBNZ R5, whole
	VMOV V19.B16, V1.B16
	ADD  $64, R2
	ASCII
	BEQ  ascii
	CMP  R3, R2
	BLE  textLoop

rest:
	// Fewer than 64 octets, 16 at a time and the last 16. At 17 and 18 octets
	// there are no three before these.
	SUB $16, R1, R3
	MOVD R2, R9        // right, as R2 is not yet

restLoop:
	CMP    R3, R9
	BGT    last
	VLD1.P 16(R4), [V16.B16]
	AFTER(V1, V16)
	VMOV   V16.B16, V1.B16
	ADD    $16, R9
	B      restLoop

last:
	CMP R1, R9
	BEQ end
	CMP $19, R1
	BLT end
	LAST
	MOVD R1, R9

end:
	ANY(V0)
	CBNZ R5, whole
	MOVD R9, R2

whole:
	B whole<>(SB)

done:
	MOVD R2, (R8)
	RET

// whole ends both functions: the result, at the address R8, is R2 less the code
// point that these octets break off in. R2 is 0 or at least 16.
TEXT whole<>(SB), NOSPLIT|NOFRAME, $0-0
	CBZ   R2, done
	ADD   R0, R2, R4
	MOVBU -1(R4), R5
	CMP   $0xc0, R5
	BHS   one
	MOVBU -2(R4), R5
	CMP   $0xe0, R5
	BHS   two
	MOVBU -3(R4), R5
	CMP   $0xf0, R5
	BLO   done
	SUB   $1, R2

two:
	SUB $1, R2

one:
	SUB $1, R2

done:
	MOVD R2, (R8)
	RET

// UNMASK loads 64 octets at R4, unmasks them into V16 to V19 and stores them.
#define UNMASK \
	VLD1   (R4), [V16.B16, V17.B16, V18.B16, V19.B16] \
	VEOR   V15.B16, V16.B16, V16.B16                  \
	VEOR   V15.B16, V17.B16, V17.B16                  \
	VEOR   V15.B16, V18.B16, V18.B16                  \
	VEOR   V15.B16, V19.B16, V19.B16                  \
	VST1.P [V16.B16, V17.B16, V18.B16, V19.B16], 64(R4)

// func unmaskValid(p []byte, k mask.Key) (n, done int)
//
//	V15  the key
//	V20  the last 16 octets, unmasked, to be stored in the end
TEXT ·unmaskValid(SB), NOSPLIT|NOFRAME, $0-48
	MOVD  p_base+0(FP), R0
	MOVD  p_len+8(FP), R1
	MOVWU k+24(FP), R10
	MOVD  $n+32(FP), R8
	MOVD  $0, R2
	CMP   $16, R1
	BLT   none
	TABLES
	MOVD  R0, R4
	VDUP  R10, V15.S4

	LSL   $3, R1, R5
	RORW  R5, R10, R10       // the key for the octet after the last
	VDUP  R10, V21.S4
	ADD   R0, R1, R5
	SUB   $16, R5
	FMOVQ (R5), F20
	VEOR  V21.B16, V20.B16, V20.B16

ascii:
	SUB $64, R1, R3
	CMP R3, R2
	BGT rest

asciiLoop:
	UNMASK
	ASCII
	BNE  text
	VMOV V19.B16, V1.B16
	ADD  $64, R2
	CMP  R3, R2
	BLE  asciiLoop
	B    rest

textLoop:
	UNMASK

text:
	AFTER(V1, V16)
	AFTER(V16, V17)
	AFTER(V17, V18)
	AFTER(V18, V19)
	ANY(V0)
	CBNZ R5, wrong
	VMOV V19.B16, V1.B16
	ADD  $64, R2
	ASCII
	BEQ  ascii
	CMP  R3, R2
	BLE  textLoop

rest:
	SUB  $16, R1, R3
	MOVD R2, R9

restLoop:
	CMP    R3, R9
	BGT    last
	VLD1   (R4), [V16.B16]
	VEOR   V15.B16, V16.B16, V16.B16
	VST1.P [V16.B16], 16(R4)
	AFTER(V1, V16)
	VMOV   V16.B16, V1.B16
	ADD    $16, R9
	B      restLoop

last:
	CMP   R1, R9
	BEQ   end
	CMP   $19, R1
	BLT   end
	ADD   R0, R1, R5
	SUB   $16, R5
	FMOVQ F20, (R5)
	LAST
	MOVD  R1, R9

end:
	MOVD R9, done+40(FP)
	ANY(V0)
	CBNZ R5, whole
	MOVD R9, R2

whole:
	B whole<>(SB)

wrong:
	ADD  $64, R2, R5
	MOVD R5, done+40(FP) // these 64 are unmasked nevertheless
	B    whole<>(SB)

none:
	MOVD R2, n+32(FP)
	MOVD R2, done+40(FP)
	RET
