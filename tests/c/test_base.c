/* SPDX-License-Identifier: GPL-3.0-or-later */
/* test_base.c: random streams, threads, memory, errors, hashes, numbers as text, and texts from outside. */
#include "base/region.h"
#include "support.h"

#include <barlow/hash.h>
#include <barlow/error.h>
#include <barlow/memory.h>
#include <barlow/number.h>
#include <barlow/parallel.h>
#include <barlow/random.h>
#include <barlow/text.h>

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The test vectors for Philox that its authors publish with Random123. */
static void philox_gives_its_known_answers(void **state)
{
	static const struct {
		uint32_t counter[4], key[2], answer[4];
	} known[] = {
		{ { 0 }, { 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
		{ { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
		  { 0xffffffff, 0xffffffff },
		  { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
		{ { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
		  { 0xa4093822, 0x299f31d0 },
		  { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		uint32_t out[4];
		bl_philox(known[i].counter, known[i].key, out);
		assert_memory_equal(out, known[i].answer, sizeof out);
	}
}

static void a_stream_is_blocks_of_philox(void **state)
{
	(void)state;
	bl_rng r;
	uint32_t out[4];
	bl_rng_init(&r, 0x299f31d0a4093822u, 7, 5, 6);
	for (uint32_t block = 0; block < 3; block++) {
		bl_philox((uint32_t[]){ block, 5, 6, 7 }, (uint32_t[]){ 0xa4093822, 0x299f31d0 }, out);
		for (int i = 0; i < 4; i++)
			assert_int_equal(bl_rng_u32(&r), out[i]);
	}
}

static void each_coordinate_makes_another_stream(void **state)
{
	(void)state;
	bl_rng r[5];
	bl_rng_init(&r[0], 1, 2, 3, 4);
	bl_rng_init(&r[1], 1u | (uint64_t)1 << 32, 2, 3, 4);
	bl_rng_init(&r[2], 1, 3, 3, 4);
	bl_rng_init(&r[3], 1, 2, 4, 4);
	bl_rng_init(&r[4], 1, 2, 3, 5);
	uint32_t first[5];
	for (int i = 0; i < 5; i++) {
		first[i] = bl_rng_u32(&r[i]);
		for (int j = 0; j < i; j++)
			assert_int_not_equal(first[i], first[j]);
	}
}

static void uniform_numbers_fill_their_interval(void **state)
{
	enum { N = 100000 };
	(void)state;
	bl_rng r;
	double sum = 0, squares = 0;
	bl_rng_init(&r, 3, 0, 0, 0);
	for (int i = 0; i < N; i++) {
		float u = bl_rng_between(&r, -2, 4);
		assert_true(u >= -2 && u < 4);
		sum += u;
		squares += (double)u * u;
	}
	assert_close(sum / N, 1, .03);         /* standard deviation of the mean: 6 / sqrt(12 N) = .005 */
	assert_close(squares / N - 1, 3, .02); /* expected variance: 36 / 12 */
}

static void normal_numbers_have_their_moments(void **state)
{
	enum { N = 100000 };
	(void)state;
	bl_rng r;
	double m[5] = { 0 };
	bl_rng_init(&r, 4, 0, 0, 0);
	for (int i = 0; i < N; i++) {
		double x = bl_rng_normal(&r), p = 1;
		for (int k = 1; k <= 4; k++)
			m[k] += (p *= x) / N;
	}
	assert_close(m[1], 0, .02);
	assert_close(m[2], 1, .02);
	assert_close(m[3], 0, .05);
	assert_close(m[4], 3, .05);
}

static void below_is_uniform_and_below_its_bound(void **state)
{
	enum { N = 60000, SIDES = 6 };
	(void)state;
	bl_rng r;
	int count[SIDES] = { 0 };
	bl_rng_init(&r, 5, 0, 0, 0);
	for (int i = 0; i < N; i++) {
		uint32_t k = bl_rng_below(&r, SIDES);
		assert_in_range(k, 0, SIDES - 1);
		count[k]++;
	}
	for (int k = 0; k < SIDES; k++)
		assert_close(count[k], N / SIDES, .04); /* about four standard deviations */
	assert_int_equal(bl_rng_below(&r, 1), 0);
}

/* For the bound 3/4 of 2^32, every third number would be twice as frequent as the others if no draw were rejected. */
static void below_is_uniform_for_large_numbers(void **state)
{
	enum { N = 30000 };
	(void)state;
	bl_rng r;
	int count[3] = { 0 };
	bl_rng_init(&r, 8, 0, 0, 0);
	for (int i = 0; i < N; i++)
		count[bl_rng_below(&r, 3u << 30) % 3]++;
	for (int k = 0; k < 3; k++)
		assert_close(count[k], N / 3, .04); /* about five standard deviations */
}

static void shuffles_are_permutations(void **state)
{
	enum { N = 1000 };
	(void)state;
	bl_rng r;
	int64_t v[N];
	bool seen[N] = { false };
	int at_home = 0;
	bl_rng_init(&r, 6, 0, 0, 0);
	for (int i = 0; i < N; i++)
		v[i] = i;
	bl_rng_shuffle(&r, v, N);
	for (int i = 0; i < N; i++) {
		assert_in_range(v[i], 0, N - 1);
		assert_false(seen[v[i]]);
		seen[v[i]] = true;
		at_home += v[i] == i;
	}
	assert_true(at_home < 10); /* 1 is expected */
}

/* Threads. */
enum { CHUNKS = 1000 };
static atomic_int calls[CHUNKS];

static void count_call(void *ctx, int64_t chunk)
{
	(void)ctx;
	atomic_fetch_add(&calls[chunk], 1);
}

static void expect_calls(int64_t chunks, int times)
{
	for (int64_t i = 0; i < CHUNKS; i++)
		assert_int_equal(atomic_exchange(&calls[i], 0), i < chunks ? times : 0);
}

static void every_chunk_is_called_once(void **state)
{
	(void)state;
	for (int threads = 1; threads <= 5; threads++) {
		assert_int_equal(bl_threads_set(threads), 0);
		for (int64_t chunks = 0; chunks <= CHUNKS; chunks = 3 * chunks + 1) {
			bl_parallel(chunks, count_call, NULL);
			expect_calls(chunks, 1);
		}
	}
	assert_int_equal(bl_threads_set(0), 0);
}

static void count_inside(void *ctx, int64_t chunk)
{
	(void)chunk;
	bl_parallel(10, count_call, ctx);
}

static void calls_from_inside_a_chunk_work(void **state)
{
	(void)state;
	bl_threads_set(4);
	bl_parallel(20, count_inside, NULL);
	expect_calls(10, 20);
	bl_threads_set(0);
}

static void *run_jobs(void *arg)
{
	for (int i = 0; i < 200; i++)
		bl_parallel(50, count_call, arg);
	return NULL;
}

static void threads_may_share_the_pool(void **state)
{
	(void)state;
	pthread_t t[3];
	bl_threads_set(3);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&t[i], NULL, run_jobs, NULL), 0);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	expect_calls(50, 600);
	bl_threads_set(0);
}

struct masks {
	pthread_t caller;
	atomic_int workers, open;
};

static void note_mask(void *ctx, int64_t chunk)
{
	(void)chunk;
	struct masks *m = ctx;
	sigset_t now;
	if (pthread_equal(pthread_self(), m->caller)) {
		/* the caller waits, so that a worker takes a chunk */
		for (int i = 0; i < 1000000 && atomic_load(&m->workers) == 0; i++)
			sched_yield();
		return;
	}
	pthread_sigmask(SIG_BLOCK, NULL, &now);
	atomic_fetch_add(&m->open, !sigismember(&now, SIGINT) || !sigismember(&now, SIGUSR1) || !sigismember(&now, SIGTERM));
	atomic_fetch_add(&m->workers, 1);
}

/* Workers block signals, so that handlers run in the program's own threads, whose signal masks do not change. */
static void workers_block_signals(void **state)
{
	(void)state;
	struct masks m = { .caller = pthread_self() };
	sigset_t before, after;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	bl_threads_set(7); /* more threads than in the tests above, so that new workers start now */
	bl_parallel(CHUNKS, note_mask, &m);
	bl_threads_set(0);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_true(atomic_load(&m.workers) > 0);
	assert_int_equal(atomic_load(&m.open), 0);
	for (int number = 1; number < SIGRTMIN; number++)
		assert_int_equal(sigismember(&before, number), sigismember(&after, number));
}

static void thread_numbers_are_checked(void **state)
{
	(void)state;
	assert_int_equal(bl_threads_set(3), 0);
	assert_int_equal(bl_threads(), 3);
	assert_int_equal(bl_threads_set(-1), -1);
	assert_error("got -1");
	assert_int_equal(bl_threads_set(BL_THREADS_MAX + 1), -1);
	assert_error("257");
	assert_int_equal(bl_threads(), 3);
	assert_int_equal(bl_threads_set(0), 0);
	assert_true(bl_threads() >= 1);
}

static void chunks_cover_the_range(void **state)
{
	(void)state;
	for (int64_t n = 0; n < 40; n++) {
		for (int64_t chunks = 1; chunks < 12; chunks++) {
			int64_t end = 0;
			for (int64_t c = 0; c < chunks; c++) {
				int64_t from, to;
				bl_chunk_range(n, chunks, c, &from, &to);
				assert_int_equal(from, end);
				assert_in_range(to - from, n / chunks, n / chunks + 1);
				end = to;
			}
			assert_int_equal(end, n);
		}
	}
}

/* Memory. */
static void blocks_are_large_enough_and_aligned(void **state)
{
	(void)state;
	for (size_t bytes = 0; bytes < 100000; bytes = bytes * 5 / 4 + 1) {
		char *a = bl_block_take(bytes), *b = bl_block_take(bytes);
		assert_non_null(a);
		assert_non_null(b);
		assert_int_equal((uintptr_t)a % 64, 0);
		memset(a, 1, bytes);
		memset(b, 2, bytes);
		for (size_t i = 0; i < bytes; i++)
			assert_int_equal(a[i], 1);
		bl_block_give(a);
		bl_block_give(b);
	}
	bl_block_give(NULL);
}

static void a_repeated_step_requests_no_memory_from_the_system(void **state)
{
	(void)state;
	bl_memory_stats before = { 0 }, after;
	void *block[40];
	for (int turn = 0; turn < 3; turn++) {
		if (turn == 1)
			bl_memory(&before);
		for (size_t i = 0; i < 40; i++)
			assert_non_null(block[i] = bl_block_take(i * i * 1000));
		for (int i = 0; i < 40; i++)
			bl_block_give(block[i]);
	}
	bl_memory(&after);
	assert_int_equal(after.system_calls, before.system_calls);
	assert_int_equal(after.held, before.held);
}

static void a_block_reuses_the_space_of_smaller_ones(void **state)
{
	(void)state;
	enum { PIECES = 8, BYTES = 1 << 20 };
	void *piece[PIECES];
	bl_memory_stats before, after;
	for (int i = 0; i < PIECES; i++)
		assert_non_null(piece[i] = bl_block_take(BYTES));
	bl_memory(&before);
	for (int i = 0; i < PIECES; i++)
		bl_block_give(piece[i * 3 % PIECES]);
	void *whole = bl_block_take(PIECES * BYTES);
	assert_non_null(whole);
	bl_memory(&after);
	assert_int_equal(after.held, before.held);
	bl_block_give(whole);
}

/* Allocates and frees blocks of all sizes in random order: blocks do not overlap, and their content does not change. */
static void blocks_do_not_overlap(void **state)
{
	(void)state;
	enum { BLOCKS = 64, TURNS = 4000 };
	struct {
		uint8_t *at;
		size_t bytes;
		uint8_t mark;
	} b[BLOCKS] = { 0 };
	bl_rng r;
	bl_rng_init(&r, 7, 0, 0, 0);
	for (int turn = 0; turn < TURNS; turn++) {
		int k = (int)(bl_rng_uniform(&r) * BLOCKS);
		for (size_t i = 0; i < b[k].bytes; i += 997)
			assert_int_equal(b[k].at[i], b[k].mark);
		bl_block_give(b[k].at);
		b[k].bytes = (size_t)exp(18 * (double)bl_rng_uniform(&r));
		b[k].mark = (uint8_t)turn;
		assert_non_null(b[k].at = bl_block_take(b[k].bytes));
		memset(b[k].at, b[k].mark, b[k].bytes);
	}
	for (int k = 0; k < BLOCKS; k++)
		bl_block_give(b[k].at);
}

static void memory_is_counted(void **state)
{
	(void)state;
	bl_memory_stats before, during, after, trimmed;
	bl_memory(&before);
	void *block = bl_block_take(10 << 20);
	assert_non_null(block);
	bl_memory(&during);
	assert_in_range(during.used - before.used, 10 << 20, 12 << 20);
	assert_true(during.peak >= during.used && during.held >= during.used);
	bl_block_give(block);
	bl_memory(&after);
	assert_int_equal(after.used, before.used);
	assert_int_equal(after.held, during.held);
	bl_memory_trim();
	bl_memory(&trimmed);
	assert_int_equal(trimmed.held, trimmed.used);
}

/* MADV_DONTNEED affects whole pages: if an extent began or ended within a page, data of its neighbour would be lost. */
static void large_blocks_are_whole_pages_of_any_size(void **state)
{
	(void)state;
	enum { PAGE = 65536, BLOCKS = 8 };
	bl_memory_region r = { .page = PAGE };
	bl_free_extent *e[BLOCKS];
	for (int i = 0; i < BLOCKS; i++) {
		assert_non_null(e[i] = bl_region_take(&r, (size_t)(130000 + 5000 * i)));
		assert_int_equal(((char *)e[i] - r.base) % PAGE, 0);
		assert_int_equal(e[i]->bytes % PAGE, 0);
		memset(e[i] + 1, i + 1, e[i]->bytes - sizeof *e[i]);
	}
	for (int i = 0; i < BLOCKS; i += 2)
		bl_region_give(&r, e[i]);
	bl_region_trim(&r);
	for (int i = 1; i < BLOCKS; i += 2) {
		const char *at = (const char *)(e[i] + 1);
		assert_int_equal(at[0], i + 1);
		assert_memory_equal(at, at + 1, e[i]->bytes - sizeof *e[i] - 1);
		bl_region_give(&r, e[i]);
	}
	size_t top = r.top;
	assert_int_equal(bl_region_trim(&r), top);
	assert_int_equal(r.top, 0);
}

static void impossible_sizes_are_refused(void **state)
{
	(void)state;
	assert_null(bl_block_take((size_t)1 << 60));
	assert_error("no memory");
}

static void *scratch_of_another_thread(void *arg)
{
	char *mine = bl_scratch(0, 100);
	if (mine)
		memset(mine, 7, 100);
	return mine == arg ? NULL : mine;
}

static void scratch_is_kept_and_each_threads_own(void **state)
{
	(void)state;
	char *a = bl_scratch(0, 100), *b = bl_scratch(1, 100);
	void *other;
	pthread_t t;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	memset(a, 1, 100);
	assert_int_equal(pthread_create(&t, NULL, scratch_of_another_thread, a), 0);
	pthread_join(t, &other);
	assert_non_null(other);
	assert_ptr_equal(bl_scratch(0, 50), a);
	assert_int_equal(a[99], 1);
	assert_non_null(bl_scratch(0, 1 << 20));
}

/* Errors. */
static void the_last_message_stays(void **state)
{
	(void)state;
	assert_int_equal(bl_fail("size %d, expected %s", 3, "four"), -1);
	assert_string_equal(bl_error(), "size 3, expected four");
	assert_int_equal(bl_fail_prefix("%s: ", "a.idx"), -1);
	assert_string_equal(bl_error(), "a.idx: size 3, expected four");
	assert_null(bl_fail_null("gone"));
	assert_string_equal(bl_error(), "gone");
	bl_fail("(%s)", bl_error());
	assert_string_equal(bl_error(), "(gone)");
}

static void long_messages_are_cut(void **state)
{
	(void)state;
	char text[3000];
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	bl_fail("%s", text);
	assert_int_equal(strlen(bl_error()), 1023);
	bl_fail_prefix("%s: ", "front");
	assert_int_equal(strlen(bl_error()), 1023);
	assert_error("front: xxx");
}

static void *fail_elsewhere(void *arg)
{
	bl_fail("elsewhere");
	return arg;
}

static void each_thread_has_its_own_message(void **state)
{
	(void)state;
	pthread_t t;
	bl_fail("here");
	assert_int_equal(pthread_create(&t, NULL, fail_elsewhere, NULL), 0);
	pthread_join(t, NULL);
	assert_string_equal(bl_error(), "here");
}

static void near_names_are_found(void **state)
{
	(void)state;
	static const char *const names[] = { "lambda", "scale", "form", "dialect", "momentum", NULL };
	assert_string_equal(bl_nearest("lamda", names), "lambda");
	assert_string_equal(bl_nearest("from", names), "form");
	assert_string_equal(bl_nearest("dialects", names), "dialect");
	assert_string_equal(bl_nearest("gian", (const char *const[]){ "bias", "gain", NULL }), "gain"); /* transposed letters */
	/* Among equally near names, one that begins with the word is preferred, and among several of these the shortest. */
	assert_string_equal(bl_nearest("conv", (const char *const[]){ "cnn", "conv2d", NULL }), "conv2d");
	assert_string_equal(bl_nearest("conv", (const char *const[]){ "conv2d", "cnn", NULL }), "conv2d");
	assert_string_equal(bl_nearest("batch", (const char *const[]){ "batchnorm1d", "batchnorm", NULL }), "batchnorm");
	assert_string_equal(bl_nearest("lamb", (const char *const[]){ "lamp", "lambda-of-the-loss", NULL }), "lamp");
	assert_null(bl_nearest("ba", (const char *const[]){ "batchnorm", NULL }));
	assert_null(bl_nearest("weights", names));
	assert_null(bl_nearest("x", names));
}

static void expect_number(double v, const char *text)
{
	char out[BL_NUMBER_TEXT];
	double back;
	assert_string_equal(bl_number_text(v, false, out, sizeof out), text);
	assert_true(bl_number_read(out, &back));
	assert_memory_equal(&back, &v, sizeof v);
}

/* The examples of FIPS 180-4, and a million letters, hashed in pieces of 997 bytes. */
static void hashes_are_those_of_the_standard(void **state)
{
	(void)state;
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	static char letters[997];
	char out[BL_HASH_TEXT];
	bl_hash h;
	bl_hash_of("", 0, out);
	assert_string_equal(out, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	bl_hash_of("abc", 3, out);
	assert_string_equal(out, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	bl_hash_of(two_blocks, sizeof two_blocks - 1, out);
	assert_string_equal(out, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(letters, 'a', sizeof letters);
	bl_hash_begin(&h);
	for (size_t left = 1000000; left; left -= left < sizeof letters ? left : sizeof letters)
		bl_hash_add(&h, letters, left < sizeof letters ? left : sizeof letters);
	bl_hash_end(&h, out);
	assert_string_equal(out, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void numbers_are_short_and_read_back(void **state)
{
	(void)state;
	expect_number(0, "0");
	expect_number(-0., "-0");
	expect_number(1.5, "1.5");
	expect_number(.1 + .2, "0.30000000000000004");
	expect_number(1. / 3, "0.3333333333333333");
	expect_number(1e-5, "1e-05");
	expect_number(123456789012., "123456789012");
	expect_number(100, "100");
	expect_number(5e-324, "4.94065645841247e-324");
	expect_number(1.7976931348623157e308, "1.7976931348623157e+308");
	expect_number(HUGE_VAL, "inf");
	expect_number(-HUGE_VAL, "-inf");
	double v = 3;
	char out[BL_NUMBER_TEXT];
	assert_string_equal(bl_number_text(NAN, false, out, sizeof out), "nan");
	assert_true(bl_number_read("nan", &v) && isnan(v));
	v = 3;
	static const char *const none[] = { "", "1,5", "1.5x", "one", "1.5 2" };
	for (size_t i = 0; i < sizeof none / sizeof *none; i++)
		assert_false(bl_number_read(none[i], &v));
	assert_true(v == 3);
}

static void numbers_have_a_point_in_every_locale(void **state)
{
	(void)state;
	char text[16];
	if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
		skip_because("no locale with a decimal comma is installed");
	expect_number(1.5, "1.5");
	bl_fail("lr is %g", .5);
	assert_error("lr is 0.5");
	bl_point *before = bl_number_point();
	snprintf(text, sizeof text, "%.2f", .25);
	bl_number_unpoint(before);
	assert_string_equal(text, "0.25");
	snprintf(text, sizeof text, "%.2f", .25);
	assert_string_equal(text, "0,25");
	setlocale(LC_NUMERIC, "C");
}

/* --- text ------------------------------------------------------------------------- */

static void text_from_outside_is_sanitised(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} cases[] = {
		{ "plain, \xc3\xa4 \xce\xbb \xf0\x9f\x90\xb1", "plain, \xc3\xa4 \xce\xbb \xf0\x9f\x90\xb1" },
		{ "\033]0;x\007\033[31m", "\\x1b]0;x\\x07\\x1b[31m" },
		{ "\xc2\x9b"
		  "2J\x7f",
		  "\\u{9b}2J\\x7f" },
		{ "\xe2\x80\xae"
		  "gnp",
		  "\\u{202e}gnp" },
		{ "\xff\xfe\xc3", "\\xff\\xfe\\xc3" },
		{ "\xc0\xaf\xed\xa0\x80\xf4\x90\x80\x80", "\\xc0\\xaf\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80" },
		{ "a\nb\tc\r", "a\\x0ab\\x09c\\x0d" },
	};
	char out[200];
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_int_equal(bl_text_clean(out, sizeof out, cases[i].in, false), strlen(cases[i].out));
		assert_string_equal(out, cases[i].out);
		assert_int_equal(bl_text_clean(NULL, 0, cases[i].in, false), strlen(cases[i].out));
		char again[200];
		bl_text_clean(again, sizeof again, out, false);
		assert_string_equal(again, out);
	}
	assert_int_equal(bl_text_clean(out, sizeof out, "a\nb\tc\r", true), 9);
	assert_string_equal(out, "a\nb\tc\\x0d");
	assert_int_equal(bl_text_clean(out, 4, "ab\033", false), 6);
	assert_string_equal(out, "ab");
}

static void messages_are_sanitised(void **state)
{
	(void)state;
	bl_fail("%s: no", "\033[2Jname");
	assert_string_equal(bl_error(), "\\x1b[2Jname: no");
	bl_fail_prefix("%s: ", "\xe2\x80\xae");
	assert_string_equal(bl_error(), "\\u{202e}: \\x1b[2Jname: no");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(philox_gives_its_known_answers),
		cmocka_unit_test(a_stream_is_blocks_of_philox),
		cmocka_unit_test(each_coordinate_makes_another_stream),
		cmocka_unit_test(uniform_numbers_fill_their_interval),
		cmocka_unit_test(normal_numbers_have_their_moments),
		cmocka_unit_test(below_is_uniform_and_below_its_bound),
		cmocka_unit_test(below_is_uniform_for_large_numbers),
		cmocka_unit_test(shuffles_are_permutations),
		cmocka_unit_test(every_chunk_is_called_once),
		cmocka_unit_test(calls_from_inside_a_chunk_work),
		cmocka_unit_test(threads_may_share_the_pool),
		cmocka_unit_test(workers_block_signals),
		cmocka_unit_test(thread_numbers_are_checked),
		cmocka_unit_test(chunks_cover_the_range),
		cmocka_unit_test(blocks_are_large_enough_and_aligned),
		cmocka_unit_test(a_repeated_step_requests_no_memory_from_the_system),
		cmocka_unit_test(a_block_reuses_the_space_of_smaller_ones),
		cmocka_unit_test(blocks_do_not_overlap),
		cmocka_unit_test(memory_is_counted),
		cmocka_unit_test(large_blocks_are_whole_pages_of_any_size),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(scratch_is_kept_and_each_threads_own),
		cmocka_unit_test(the_last_message_stays),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(each_thread_has_its_own_message),
		cmocka_unit_test(text_from_outside_is_sanitised),
		cmocka_unit_test(messages_are_sanitised),
		cmocka_unit_test(near_names_are_found),
		cmocka_unit_test(hashes_are_those_of_the_standard),
		cmocka_unit_test(numbers_are_short_and_read_back),
		cmocka_unit_test(numbers_have_a_point_in_every_locale),
	};
	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
