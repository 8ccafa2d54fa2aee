/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * livefile.h: how a live file lies on disk, and the handle on one.
 *
 *     header | mailbox | info, twice | snapshot, twice | records ...
 *
 * The trainer maps the whole file.  Readers of a path use pread, never a
 * mapping, so that a file cut short under them is a short read and no SIGBUS;
 * only the sender of commands maps the first two pages.  Both sides copy by
 * relaxed atomic words, ordered by the fences of live.c.
 */
#ifndef BARLOW_TRAIN_LIVEFILE_H
#define BARLOW_TRAIN_LIVEFILE_H

#include <barlow/live.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

enum { LIVE_VERSION = 1, LIVE_MARK = 0x01020304, LIVE_SLOTS = 16, LIVE_ALIGN = 4096, LIVE_CACHE = 128 };

#define LIVE_MAGIC "barlow\x1a\n"
#define LIVE_CAPACITY_MAX (INT64_C(1) << 36)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the live file is little-endian");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "words shared between processes must be lock-free");
_Static_assert(sizeof(bl_record) % 8 == 0 && sizeof(bl_snapshot) % 8 == 0 && sizeof(bl_live_info) % 8 == 0,
               "everything is copied by words of eight bytes");

/*
 * Newest-wins publishing into two slots: turn n lies in slot n & 1.  The writer
 * sets begun = n before it touches the slot and done = n after it; a reader
 * that copied turn n has it whole as long as begun < n + 2.  A writer that dies
 * half-way leaves the turn before intact.
 */
struct live_turn {
	_Atomic uint64_t begun, done;
};

struct live_header {
	char magic[8];
	uint32_t version, mark;
	uint32_t info_size, snapshot_size, record_size, slots;
	uint64_t records_at;
	int64_t capacity;    /* records there is room for */
	int64_t pid;         /* of the writer; with its start time and the boot, so that a reused pid is told apart */
	uint64_t pid_ticks;
	char boot[40];
	_Atomic uint64_t records; /* released after the record that it counts */
	struct live_turn info, snapshot;
};

/* A slot goes FREE -> BUSY (by compare and swap) -> READY -> FREE; tickets give the order. */
enum { SLOT_FREE, SLOT_BUSY, SLOT_READY };
struct live_slot {
	_Atomic uint64_t state, ticket, kind, value;
};
struct live_mailbox {
	_Atomic uint64_t tickets;
	struct live_slot slot[LIVE_SLOTS];
};

struct live_image {
	alignas(LIVE_ALIGN) struct live_header header;
	alignas(LIVE_ALIGN) struct live_mailbox mailbox;
	alignas(LIVE_ALIGN) bl_live_info info[2];
	alignas(LIVE_ALIGN) bl_snapshot snapshot[2];
	alignas(LIVE_ALIGN) bl_record records[];
};

/* Records never change once they are counted, so a reader may keep a run of them. */
struct live_cache {
	pthread_mutex_t lock;
	int64_t from, n;
	bl_record run[LIVE_CACHE];
};

struct bl_live {
	atomic_int refs;
	int fd;                       /* -1: memory of this process */
	struct live_image *image;     /* the writer's mapping of everything; NULL in a reader */
	size_t length;                /* of that mapping */
	struct live_image *front;     /* header and mailbox mapped for sending; NULL: read-only */
	int64_t capacity;
	int64_t written;              /* the writer's own count: the file's is not believed */
	pthread_mutex_t writing;      /* set_info may come from any thread of the trainer's process */
	double started;               /* seconds since 1970, the writer's */
	int64_t pid;
	uint64_t pid_ticks;
	char boot[40];
	struct live_cache *cache;     /* readers only */
};

/* Bytes [at, at + n) of the file; n and at are multiples of 8.  False: they are not there. */
bool bl_livefile_load(const bl_live *l, size_t at, void *out, size_t n);
/* An eight-byte word, with acquire order; 0 when it is not there. */
uint64_t bl_livefile_word(const bl_live *l, size_t at);
/* Bytes the file has now. */
int64_t bl_livefile_size(const bl_live *l);
/* Copies into the writer's mapping. */
void bl_livefile_store(bl_live *l, size_t at, const void *in, size_t n);

/* Start of process pid in clock ticks since boot, 0 when unknown; and which boot this is ("" when unknown). */
uint64_t bl_livefile_process_start(int64_t pid);
void bl_livefile_boot(char boot[40]);

#endif
