#include "blocks.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>

/*
 * The instructions keep the state as the words A B E F and C D G H, and take two rounds' sums of word and constant
 * at a time, and four words of the schedule.
 */
__attribute__((target("sha,sse4.1,ssse3"))) static void by_sha_ni(
	uint32_t state[8], const unsigned char *data, size_t blocks)
{
	const __m128i swap = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)state), 0xb1);
	__m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(const void *)(state + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, high, 8), cdgh = _mm_blend_epi16(high, low, 0xf0);
	for (; blocks > 0; blocks--, data += 64) {
		const __m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w[4];
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			__m128i *word = &w[i % 4];
			if (i < 4) {
				*word = _mm_shuffle_epi8(
					_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), swap);
			} else {
				const __m128i last = w[(i + 3) % 4];
				*word = _mm_add_epi32(_mm_sha256msg1_epu32(*word, w[(i + 1) % 4]),
				                      _mm_alignr_epi8(last, w[(i + 2) % 4], 4));
				*word = _mm_sha256msg2_epu32(*word, last);
			}
			const __m128i constants =
				_mm_loadu_si128((const __m128i *)(const void *)(sha256_constants + 4 * i));
			__m128i sums = _mm_add_epi32(*word, constants);
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sums);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sums, 0x0e));
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)(void *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(void *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

sha256_blocks *sha256_in_hardware(void)
{
	unsigned eax, ebx, ecx, edx;
	if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_SSSE3) || !(ecx & bit_SSE4_1))
		return NULL;
	if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & bit_SHA))
		return NULL;
	return by_sha_ni;
}

/* An older clang has the functions only where every program may take the instructions for granted. */
#elif defined(__aarch64__) && defined(__AARCH64EL__) && (!defined(__clang__) || defined(__ARM_FEATURE_SHA2))

#include <arm_neon.h>
#include <sys/auxv.h>

enum { HAS_SHA2 = 1 << 6 };

#ifndef __ARM_FEATURE_SHA2
__attribute__((target("+crypto")))
#endif
static void by_crypto_extension(
	uint32_t state[8], const unsigned char *data, size_t blocks)
{
	uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
	for (; blocks > 0; blocks--, data += 64) {
		const uint32x4_t abcd_before = abcd, efgh_before = efgh;
		uint32x4_t w[4];
#pragma GCC unroll 16
		for (int i = 0; i < 16; i++) {
			uint32x4_t *word = &w[i % 4];
			if (i < 4)
				*word = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
			else
				*word = vsha256su1q_u32(
					vsha256su0q_u32(*word, w[(i + 1) % 4]), w[(i + 2) % 4], w[(i + 3) % 4]);
			const uint32x4_t sums = vaddq_u32(*word, vld1q_u32(sha256_constants + 4 * i));
			const uint32x4_t first = abcd;
			abcd = vsha256hq_u32(abcd, efgh, sums);
			efgh = vsha256h2q_u32(efgh, first, sums);
		}
		abcd = vaddq_u32(abcd, abcd_before);
		efgh = vaddq_u32(efgh, efgh_before);
	}
	vst1q_u32(state, abcd);
	vst1q_u32(state + 4, efgh);
}

sha256_blocks *sha256_in_hardware(void)
{
	return getauxval(AT_HWCAP) & HAS_SHA2 ? by_crypto_extension : NULL;
}

#else

sha256_blocks *sha256_in_hardware(void)
{
	return NULL;
}

#endif
