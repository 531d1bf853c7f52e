//go:build !purego

#include "textflag.h"

// UTF-8 is judged 32 octets at a time, as John Keiser and Daniel Lemire describe
// in "Validating UTF-8 In Less Than One Instruction Per Byte" (2021). What may
// be wrong shows in two adjacent octets: each of the eight bits of lookup is one
// kind of mistake, and is wrong if it is set for the high half of the first
// octet, for its low half and for the high half of the second. The bit twoTails,
// a continuation after a continuation, is no mistake where the octet two before
// begins 3 octets or more, or the one three before begins 4.
//
// The octets before are not shifted into place, but loaded from memory again: a
// vector that starts one, two or three octets earlier. Only the first vector of
// a text, which has nothing before it, is shifted.
//
// In both functions:
//
//	SI, BX  the text and its length
//	R8      how many octets have been judged and are right so far
//	R9      the last R8 at which the loop may go on
//	R13     where the result goes
//	Y0      a bit for each mistake found
//	Y8-Y11  lookup's three tables, and 0f everywhere

// EVERYWHERE is a vector of 32 times the same octet, given eight times.
#define EVERYWHERE(name, word) \
	DATA  name+0(SB)/8, word  \
	DATA  name+8(SB)/8, word  \
	DATA  name+16(SB)/8, word \
	DATA  name+24(SB)/8, word \
	GLOBL name(SB), RODATA|NOPTR, $32

EVERYWHERE(low<>, $0x0f0f0f0f0f0f0f0f)
EVERYWHERE(c10<>, $0x1010101010101010)
EVERYWHERE(c70<>, $0x7070707070707070)
EVERYWHERE(c80<>, $0x8080808080808080)

// shift, loaded from its octet n, shuffles the octets of a vector n places down
// and puts zeros behind them.
DATA  shift<>+0(SB)/8, $0x0706050403020100
DATA  shift<>+8(SB)/8, $0x0f0e0d0c0b0a0908
DATA  shift<>+16(SB)/8, $0x8080808080808080
DATA  shift<>+24(SB)/8, $0x8080808080808080
GLOBL shift<>(SB), RODATA|NOPTR, $32

// TABLES prepares Y0 and Y8 to Y11.
#define TABLES \
	VBROADCASTI128 ·lookup+0(SB), Y8   \
	VBROADCASTI128 ·lookup+16(SB), Y9  \
	VBROADCASTI128 ·lookup+32(SB), Y10 \
	VMOVDQU        low<>(SB), Y11      \
	VPXOR          Y0, Y0, Y0

// JUDGE adds the mistakes in the 32 octets of register in to Y0. Y2 has the
// octets one before, three those three before. Two and ten are the octets two
// before and 10 everywhere, in any order, as only the first may be in memory; c70
// and c80 are these everywhere. It uses Y2 to Y4.
//
// An octet plus 10 is f0 or more, saturated, if it is e0 or more; the maximum is
// f0 or more if it begins 3 octets two before or 4 three before. Less 70, that is
// bit 7.
#define JUDGE(in, two, ten, three, c70, c80) \
	VPADDUSB two, ten, Y4  \
	VPSRLW   $4, Y2, Y3    \
	VPAND    Y11, Y2, Y2   \
	VPAND    Y11, Y3, Y3   \
	VPSHUFB  Y3, Y8, Y3    \
	VPSHUFB  Y2, Y9, Y2    \
	VPAND    Y2, Y3, Y2    \
	VPSRLW   $4, in, Y3    \
	VPAND    Y11, Y3, Y3   \
	VPSHUFB  Y3, Y10, Y3   \
	VPMAXUB  three, Y4, Y4 \
	VPSUBUSB c70, Y4, Y4   \
	VPAND    c80, Y4, Y4   \
	VPAND    Y2, Y3, Y2    \
	VPXOR    Y2, Y4, Y2    \
	VPOR     Y2, Y0, Y0

// FIRST judges the first 32 octets of a text, in register in, with zeros before
// them. VPALIGNR shifts within halves, and Y6 has what comes before each. It uses
// Y2 to Y4 and Y6.
#define FIRST(in) \
	VPERM2I128 $0x08, in, in, Y6 \
	VPALIGNR   $15, Y6, in, Y2   \
	VPALIGNR   $14, Y6, in, Y4   \
	VPALIGNR   $13, Y6, in, Y6   \
	JUDGE(in, c10<>(SB), Y4, Y6, c70<>(SB), c80<>(SB))

// VALID judges the 32 octets at off(SI)(at*1), given its off and the three
// before, and leaves them in register in. Y12 to Y14 are 10, 70 and 80.
#define VALID(in, at, off, off1, off2, off3) \
	VMOVDQU off1(SI)(at*1), Y2 \
	VMOVDQU off(SI)(at*1), in  \
	JUDGE(in, off2(SI)(at*1), Y12, off3(SI)(at*1), Y13, Y14)

// func valid(p []byte) (n int)
TEXT ·valid(SB), NOSPLIT|NOFRAME, $0-32
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), BX
	LEAQ n+24(FP), R13
	XORL R8, R8
	CMPB ·hasAVX2(SB), $0
	JE   none
	CMPQ BX, $16
	JB   under16
	CMPQ BX, $32
	JB   under32

ascii:
	// 128 octets at a time, then 32, then the last 32.
	LEAQ -128(BX), R9
	CMPQ R8, R9
	JGT  ascii32

	PCALIGN $32
ascii128:
	VMOVDQU   (SI)(R8*1), Y1
	VPOR      32(SI)(R8*1), Y1, Y1
	VMOVDQU   64(SI)(R8*1), Y2
	VPOR      96(SI)(R8*1), Y2, Y2
	VPOR      Y1, Y2, Y2
	VPMOVMSKB Y2, AX
	TESTL     AX, AX
	JNE       text
	SUBQ      $-128, R8
	CMPQ      R8, R9
	JLE       ascii128

ascii32:
	LEAQ -32(BX), R9
	CMPQ R8, R9
	JGE  asciiLast

ascii32loop:
	VMOVDQU   (SI)(R8*1), Y1
	VPMOVMSKB Y1, AX
	TESTL     AX, AX
	JNE       text
	ADDQ      $32, R8
	CMPQ      R8, R9
	JLT       ascii32loop

asciiLast:
	VMOVDQU   (SI)(R9*1), Y1
	VPMOVMSKB Y1, AX
	TESTL     AX, AX
	JNE       text
	MOVQ      BX, (R13)
	VZEROUPPER
	RET

text:
	// From the vector in which something is not ASCII, judge everything until
	// 128 octets are ASCII: switching costs as much as judging that much does.
	TABLES
	VMOVDQU c10<>(SB), Y12
	VMOVDQU c70<>(SB), Y13
	VMOVDQU c80<>(SB), Y14
	TESTQ   R8, R8
	JNE     text64
	VMOVDQU (SI), Y1
	FIRST(Y1)
	VPTEST  Y0, Y0
	JNE     out
	MOVL    $32, R8

text64:
	LEAQ -64(BX), R9
	MOVL $-1, DX     // what was not ASCII in the 64 octets before
	CMPQ R8, R9
	JGT  text32

text64loop:
	VALID(Y1, R8, 0, -1, -2, -3)
	VALID(Y5, R8, 32, 31, 30, 29)
	VPTEST    Y0, Y0
	JNE       out
	ADDQ      $64, R8
	VPOR      Y1, Y5, Y1
	VPMOVMSKB Y1, AX
	ORL       AX, DX
	JE        ascii
	MOVL      AX, DX
	CMPQ      R8, R9
	JLE       text64loop

text32:
	LEAQ   -32(BX), R9
	CMPQ   R8, R9
	JGT    textLast
	VALID(Y1, R8, 0, -1, -2, -3)
	VPTEST Y0, Y0
	JNE    out
	ADDQ   $32, R8

textLast:
	// The last 32 octets, some of them again. At 33 and 34 octets there are no
	// three before them.
	CMPQ   R8, BX
	JE     out
	CMPQ   BX, $35
	JB     out
	VALID(Y1, R9, 0, -1, -2, -3)
	VPTEST Y0, Y0
	JNE    out
	MOVQ   BX, R8

out:
	JMP whole<>(SB)

under32:
	VMOVDQU (SI), X1
	VMOVDQU -16(SI)(BX*1), X5
	JMP     under32<>(SB)

under16:
	CMPQ BX, $8
	JB   under8
	MOVQ (SI), AX
	MOVQ -8(SI)(BX*1), DX
	JMP  words<>(SB)

under8:
	CMPQ BX, $4
	JB   under4
	MOVL (SI), AX
	MOVL -4(SI)(BX*1), DX
	JMP  halves<>(SB)

under4:
	TESTQ   BX, BX
	JE      none
	MOVBLZX (SI), AX
	MOVQ    BX, CX
	SHRQ    $1, CX
	MOVBLZX (SI)(CX*1), DX    // the middle octet
	SHLL    $3, CX
	SHLL    CX, DX
	ORL     DX, AX
	LEAQ    -1(BX), CX
	MOVBLZX (SI)(CX*1), DX    // the last
	SHLL    $3, CX
	SHLL    CX, DX
	ORL     DX, AX
	XORL    DX, DX
	JMP     joined<>(SB)

none:
	MOVQ R8, (R13)
	RET

// words judges a text of BX octets, 8 to 15, whose first 8 are in AX and last 8
// in DX. Here and in halves and joined, R8 is 0.
TEXT words<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVL $15, CX
	SUBL BX, CX
	SHLL $3, CX
	SHRQ $8, DX       // 8 to 64 bits, but by 64 at once is by none
	SHRQ CX, DX
	JMP  joined<>(SB)

// halves judges a text of BX octets, 4 to 7, whose first 4 are in AX and last 4
// in DX.
TEXT halves<>(SB), NOSPLIT|NOFRAME, $0-0
	LEAQ -4(BX), CX
	SHLL $3, CX
	SHLQ CX, DX
	ORQ  DX, AX
	XORL DX, DX
	JMP  joined<>(SB)

// joined judges a text of BX octets, 1 to 15, that is in AX and DX with zeros
// behind.
TEXT joined<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ    AX, CX
	ORQ     DX, CX
	MOVQ    $0x8080808080808080, R9
	TESTQ   R9, CX
	JNE     text
	MOVQ    BX, (R13)
	RET

text:
	VMOVQ   AX, X1
	VPINSRQ $1, DX, X1, X1
	JMP     padded<>(SB)

// under32 judges a text of BX octets, 16 to 31, whose first 16 are in X1 and
// last 16 in X5.
TEXT under32<>(SB), NOSPLIT|NOFRAME, $0-0
	VPOR      X1, X5, X2
	VPMOVMSKB X2, AX
	TESTL     AX, AX
	JE        right

	// Shift out of X5 what is in X1 too, and put the rest behind X1.
	MOVL        $32, CX
	SUBL        BX, CX
	LEAQ        shift<>(SB), DX
	VPSHUFB     (DX)(CX*1), X5, X5
	VINSERTI128 $1, X5, Y1, Y1
	JMP         padded<>(SB)

right:
	MOVQ BX, (R13)
	VZEROUPPER
	RET

// padded judges a text of BX octets, fewer than 32, that is in Y1 with zeros
// behind. What the zeros make wrong does not count.
TEXT padded<>(SB), NOSPLIT|NOFRAME, $0-0
	TABLES
	FIRST(Y1)
	MOVL      $32, CX
	SUBL      BX, CX
	VPXOR     Y2, Y2, Y2
	VPCMPEQB  Y2, Y0, Y2
	VPMOVMSKB Y2, AX     // ones where nothing is wrong
	NOTL      AX
	XORL      R8, R8
	SHLL      CX, AX
	TESTL     AX, AX
	CMOVQEQ   BX, R8
	JMP       whole<>(SB)

// whole ends both functions: the result is R8, less the code point that these
// octets break off in.
TEXT whole<>(SB), NOSPLIT|NOFRAME, $0-0
	VZEROUPPER
	CMPQ    R8, $1
	JB      done
	MOVBLZX -1(SI)(R8*1), AX
	CMPL    AX, $0xc0
	JAE     one            // always, if it is the only octet
	MOVBLZX -2(SI)(R8*1), AX
	CMPL    AX, $0xe0
	JAE     two
	CMPQ    R8, $3
	JB      done
	MOVBLZX -3(SI)(R8*1), AX
	CMPL    AX, $0xf0
	JB      done
	DECQ    R8

two:
	DECQ R8

one:
	DECQ R8

done:
	MOVQ R8, (R13)
	RET

// UNMASK loads and unmasks the 32 octets at off(SI)(at*1) into register in, and
// those one, two and three before into Y2, Y4 and Y6. Y12 to Y15 are the keys.
#define UNMASK(in, at, off, off1, off2, off3) \
	VPXOR off(SI)(at*1), Y12, in  \
	VPXOR off1(SI)(at*1), Y13, Y2 \
	VPXOR off2(SI)(at*1), Y14, Y4 \
	VPXOR off3(SI)(at*1), Y15, Y6

// KEYS makes of the key in all of Y12 the keys for one, two and three octets
// before.
#define KEYS \
	VPALIGNR $15, Y12, Y12, Y13 \
	VPALIGNR $14, Y12, Y12, Y14 \
	VPALIGNR $13, Y12, Y12, Y15

#define JUDGE_UNMASKED(in) JUDGE(in, c10<>(SB), Y4, Y6, c70<>(SB), c80<>(SB))

// func unmaskValid(p []byte, k mask.Key) (n, done int)
//
// It differs from valid in that a vector and those that start up to three octets
// earlier must be loaded while all of them are still masked. Thus a vector is
// stored only after the next one has been loaded, and the last 32 octets, of
// which some are in other vectors too, are judged before everything else. (To
// load what was just stored would wait for it to reach the cache, as would one
// pass after the other on a short text.)
//
//	R10      the offset of the last 32 octets
//	R11      not zero if there are mistakes in these
//	Y5       the vector before R8, unmasked, to be stored
//	Y7       the last vector, unmasked
//	Y12-Y15  the key for a vector and for those up to three octets earlier
TEXT ·unmaskValid(SB), NOSPLIT|NOFRAME, $0-48
	MOVQ  p_base+0(FP), SI
	MOVQ  p_len+8(FP), BX
	MOVL  k+24(FP), AX
	LEAQ  n+32(FP), R13
	XORL  R8, R8
	CMPB  ·hasAVX2(SB), $0
	JE    none
	LEAQ  (BX*8), CX
	MOVL  AX, DX
	RORL  CX, DX           // the key for the octet after the last
	CMPQ  BX, $16
	JB    under16
	VMOVD DX, X12
	CMPQ  BX, $32
	JB    under32

	VPBROADCASTD X12, Y12
	LEAQ         -32(BX), R10
	XORL         R11, R11
	CMPQ         BX, $35
	JB           first        // as in textLast above
	KEYS
	UNMASK(Y7, R10, 0, -1, -2, -3)
	VPOR         Y2, Y7, Y1   // if ASCII, what comes earlier does no harm here
	VPMOVMSKB    Y1, CX
	TESTL        CX, CX
	JE           first
	TABLES
	JUDGE_UNMASKED(Y7)
	VPTEST       Y0, Y0
	SETNE        R11

first:
	VMOVD        AX, X12
	VPBROADCASTD X12, Y12
	KEYS
	VPXOR        (SI), Y12, Y5
	VPMOVMSKB    Y5, AX
	TESTL        AX, AX
	JNE          firstText
	MOVL         $32, R8

	// A long text goes on at an aligned octet, if the first 64 are ASCII: stores
	// that cross no cache line take a fifth off. There must be three octets before
	// it.
	CMPQ         BX, $512
	JB           ascii
	MOVL         SI, CX
	NEGL         CX
	ANDL         $31, CX
	CMPL         CX, $3
	JB           ascii
	VPXOR        32(SI), Y12, Y1
	VPMOVMSKB    Y1, AX
	TESTL        AX, AX
	JNE          ascii
	MOVL         CX, R8
	SHLL         $3, CX
	MOVL         k+24(FP), AX
	RORL         CX, AX
	VMOVD        AX, X12
	VPBROADCASTD X12, Y12
	KEYS
	VPXOR        (SI)(R8*1), Y12, Y1
	VMOVDQU      Y5, (SI)
	VMOVDQA      Y1, Y5
	ADDQ         $32, R8

ascii:
	LEAQ -128(BX), R9
	CMPQ R8, R9
	JGT  ascii32

	PCALIGN $32
ascii128:
	VPXOR     (SI)(R8*1), Y12, Y1
	VPXOR     32(SI)(R8*1), Y12, Y2
	VPXOR     64(SI)(R8*1), Y12, Y3
	VPXOR     96(SI)(R8*1), Y12, Y4
	VPOR      Y1, Y2, Y6
	VPOR      Y3, Y4, Y0
	VPOR      Y0, Y6, Y6
	VPMOVMSKB Y6, AX
	TESTL     AX, AX
	JNE       text
	VMOVDQU   Y5, -32(SI)(R8*1)
	VMOVDQU   Y1, (SI)(R8*1)
	VMOVDQU   Y2, 32(SI)(R8*1)
	VMOVDQU   Y3, 64(SI)(R8*1)
	VMOVDQA   Y4, Y5
	SUBQ      $-128, R8
	CMPQ      R8, R9
	JLE       ascii128

ascii32:
	CMPQ R8, R10
	JGT  last

ascii32loop:
	VPXOR     (SI)(R8*1), Y12, Y1
	VPMOVMSKB Y1, AX
	TESTL     AX, AX
	JNE       text
	VMOVDQU   Y5, -32(SI)(R8*1)
	VMOVDQA   Y1, Y5
	ADDQ      $32, R8
	CMPQ      R8, R10
	JLE       ascii32loop

last:
	// Fewer than 32 octets are left, or none.
	VMOVDQU Y5, -32(SI)(R8*1)
	CMPQ    BX, $35
	JB      out
	TESTL   R11, R11
	JNE     out
	VMOVDQU Y7, (SI)(R10*1)
	MOVQ    BX, R8

out:
	MOVQ R8, done+40(FP)
	JMP  whole<>(SB)

none:
	MOVQ R8, n+32(FP)
	MOVQ R8, done+40(FP)
	RET

firstText:
	TABLES
	FIRST(Y5)
	VPTEST Y0, Y0
	JNE    out                 // with R8 zero
	MOVL   $32, R8
	JMP    text64

text:
	TABLES

text64:
	LEAQ -64(BX), R9
	MOVL $-1, DX
	CMPQ R8, R9
	JGT  text32

text64loop:
	UNMASK(Y1, R8, 0, -1, -2, -3)
	VMOVDQU   Y5, -32(SI)(R8*1)
	JUDGE_UNMASKED(Y1)
	UNMASK(Y5, R8, 32, 31, 30, 29)
	VMOVDQU   Y1, (SI)(R8*1)
	JUDGE_UNMASKED(Y5)
	VPTEST    Y0, Y0
	JNE       remask
	ADDQ      $64, R8
	VPOR      Y1, Y5, Y1
	VPMOVMSKB Y1, AX
	ORL       AX, DX
	JE        ascii
	MOVL      AX, DX
	CMPQ      R8, R9
	JLE       text64loop

text32:
	CMPQ    R8, R10
	JGT     last
	UNMASK(Y1, R8, 0, -1, -2, -3)
	VMOVDQU Y5, -32(SI)(R8*1)
	JUDGE_UNMASKED(Y1)
	VPTEST  Y0, Y0
	JNE     out
	VMOVDQA Y1, Y5
	ADDQ    $32, R8
	JMP     last

remask:
	// The first of the two vectors has been stored: undo that.
	VPXOR   Y1, Y12, Y1
	VMOVDQU Y1, (SI)(R8*1)
	JMP     out

under32:
	// In vectors of 16, unmasked and stored at once.
	VMOVD   AX, X1
	VPSHUFD $0, X1, X1
	VPSHUFD $0, X12, X5
	VPXOR   (SI), X1, X1
	VPXOR   -16(SI)(BX*1), X5, X5
	VMOVDQU X1, (SI)
	VMOVDQU X5, -16(SI)(BX*1)
	MOVQ    BX, done+40(FP)
	JMP     under32<>(SB)

under16:
	CMPQ BX, $8
	JB   under8
	MOVQ BX, done+40(FP)
	MOVL AX, R9              // the keys twice over
	SHLQ $32, AX
	ORQ  R9, AX
	MOVL DX, R9
	SHLQ $32, DX
	ORQ  R9, DX
	XORQ (SI), AX
	XORQ -8(SI)(BX*1), DX
	MOVQ AX, (SI)
	MOVQ DX, -8(SI)(BX*1)
	JMP  words<>(SB)

under8:
	CMPQ BX, $4
	JB   none
	MOVQ BX, done+40(FP)
	XORL (SI), AX
	XORL -4(SI)(BX*1), DX
	MOVL AX, (SI)
	MOVL DX, -4(SI)(BX*1)
	JMP  halves<>(SB)
