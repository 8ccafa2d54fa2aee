/* SPDX-License-Identifier: GPL-3.0-or-later */
/* parallel.c: the thread pool. */
#define _GNU_SOURCE
#include <barlow/error.h>
#include <barlow/parallel.h>

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * The pool runs one job at a time.  A worker joins an open job under the lock.  Therefore, once the caller has closed
 * the job and `active` is 0, no worker accesses the job any more.
 */
static struct {
	pthread_mutex_t region; /* held by the thread that runs the job */
	pthread_mutex_t lock;
	pthread_cond_t wake, idle;
	int workers;       /* number of threads started so far */
	int helpers;       /* number of these threads that may join the job */
	atomic_int active; /* changed under the lock */
	bool open;
	atomic_uint turn; /* number of jobs so far; workers spin on it briefly before they sleep */
	bl_parallel_fn *fn;
	void *ctx;
	int64_t chunks;
	const volatile int *give_up; /* the flag of the thread that runs the job */
	atomic_llong next;
} pool = { .region = PTHREAD_MUTEX_INITIALIZER,
	   .lock = PTHREAD_MUTEX_INITIALIZER,
	   .wake = PTHREAD_COND_INITIALIZER,
	   .idle = PTHREAD_COND_INITIALIZER };

static atomic_int wanted; /* 0: not set */
static _Thread_local bool inside;
static _Thread_local const volatile int *give_up;

const volatile int *bl_give_up_on(const volatile int *flag)
{
	const volatile int *before = give_up;
	give_up = flag;
	return before;
}

/* Within a chunk, this is the flag of the thread that called bl_parallel. */
bool bl_given_up(void)
{
	const volatile int *flag = inside ? pool.give_up : give_up;
	return flag && *flag;
}

int bl_check_given_up(void)
{
	return bl_given_up() ? bl_fail_interrupted("interrupted") : 0;
}

static int cores(void)
{
	cpu_set_t set;
	if (sched_getaffinity(0, sizeof set, &set))
		return 1;
	int n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > BL_THREADS_MAX ? BL_THREADS_MAX : n;
}

int bl_threads(void)
{
	int n = atomic_load(&wanted);
	if (n == 0) {
		n = cores();
		atomic_store(&wanted, n);
	}
	return n;
}

int bl_threads_set(int n)
{
	if (n < 0 || n > BL_THREADS_MAX)
		return bl_fail("threads must be 0 (all cores) to %d, got %d", BL_THREADS_MAX, n);
	atomic_store(&wanted, n ? n : cores());
	return 0;
}

static void work(void)
{
	inside = true;
	for (;;) {
		int64_t c = atomic_fetch_add(&pool.next, 1);
		if (c >= pool.chunks || (pool.give_up && *pool.give_up))
			break;
		pool.fn(pool.ctx, c);
	}
	inside = false;
}

static void pause_a_little(void)
{
#if defined __x86_64__
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

enum { SPINS = 2000 };

/* The next job often follows within microseconds, which is less than it takes to sleep and wake up. */
static void spin_for_turn(unsigned seen)
{
	for (int i = 0; i < SPINS && atomic_load_explicit(&pool.turn, memory_order_relaxed) == seen; i++)
		pause_a_little();
}

static void *worker(void *arg)
{
	int number = (int)(ptrdiff_t)arg;
	unsigned seen = 0;
	for (;;) {
		spin_for_turn(seen);
		pthread_mutex_lock(&pool.lock);
		while (atomic_load(&pool.turn) == seen)
			pthread_cond_wait(&pool.wake, &pool.lock);
		seen = atomic_load(&pool.turn);
		bool join = pool.open && number < pool.helpers;
		atomic_fetch_add(&pool.active, join);
		pthread_mutex_unlock(&pool.lock);
		if (!join)
			continue;
		work();
		pthread_mutex_lock(&pool.lock);
		if (atomic_fetch_sub(&pool.active, 1) == 1)
			pthread_cond_signal(&pool.idle);
		pthread_mutex_unlock(&pool.lock);
	}
	return NULL;
}

/* Workers block all signals, so that Ctrl-C reaches the thread that reads the keyboard. */
static void start_workers(int n)
{
	sigset_t all, old;
	pthread_attr_t attr;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	while (pool.workers < n) {
		pthread_t t;
		if (pthread_create(&t, &attr, worker, (void *)(ptrdiff_t)pool.workers))
			break; /* fewer threads, same result */
		pool.workers++;
	}
	pthread_attr_destroy(&attr);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

static void open_job(int64_t chunks, bl_parallel_fn *fn, void *ctx, int helpers)
{
	pthread_mutex_lock(&pool.lock);
	start_workers(helpers);
	pool.fn = fn;
	pool.ctx = ctx;
	pool.chunks = chunks;
	pool.give_up = give_up;
	atomic_store(&pool.next, 0);
	pool.helpers = helpers;
	pool.open = true;
	atomic_fetch_add(&pool.turn, 1);
	pthread_cond_broadcast(&pool.wake);
	pthread_mutex_unlock(&pool.lock);
}

/* Waits for the workers' last chunks, which usually takes microseconds. */
static void spin_for_idle(void)
{
	for (int i = 0; i < SPINS && atomic_load(&pool.active) > 0; i++)
		pause_a_little();
}

static void close_job(void)
{
	pthread_mutex_lock(&pool.lock);
	pool.open = false;
	pthread_mutex_unlock(&pool.lock);
	spin_for_idle();
	pthread_mutex_lock(&pool.lock);
	while (atomic_load(&pool.active) > 0)
		pthread_cond_wait(&pool.idle, &pool.lock);
	pthread_mutex_unlock(&pool.lock);
}

void bl_parallel(int64_t chunks, bl_parallel_fn *fn, void *ctx)
{
	int helpers = bl_threads() - 1;
	if (chunks - 1 < helpers)
		helpers = (int)(chunks - 1);
	if (helpers <= 0 || inside || pthread_mutex_trylock(&pool.region)) {
		for (int64_t c = 0; c < chunks && !bl_given_up(); c++)
			fn(ctx, c);
		return;
	}
	open_job(chunks, fn, ctx, helpers);
	work();
	close_job();
	pthread_mutex_unlock(&pool.region);
}

void bl_chunk_range(int64_t n, int64_t chunks, int64_t c, int64_t *from, int64_t *to)
{
	int64_t size = n / chunks, rest = n % chunks;
	*from = c * size + (c < rest ? c : rest);
	*to = *from + size + (c < rest);
}

double bl_now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
