/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * livefile.h: how a live file lies on disk, and the handle on one.
 *
 *     header | mailbox, asks | info, twice | snapshot, twice | list of kept, twice | kept ... | records ...
 *
 * The trainer maps the whole file.  Readers of a path use pread, never a
 * mapping, so that a file cut short under them is a short read and no SIGBUS;
 * only who sends or asks maps the first two pages.  Both sides copy by
 * relaxed atomic words, ordered by the fences of live.c.
 */
#ifndef BARLOW_LIVE_LIVEFILE_H
#define BARLOW_LIVE_LIVEFILE_H

#include <barlow/live.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

enum { LIVE_VERSION = 3, LIVE_MARK = 0x01020304, LIVE_SLOTS = 16, LIVE_ALIGN = 4096, LIVE_CACHE = 128 };
enum { LIVE_KEPT = BL_KEPT_MAX - 1, LIVE_ASKS = 8, LIVE_ASK_WORDS = 5 }; /* the newest snapshot counts as kept too */

/* A record in the file: its step, then the value of each of the run's columns, eight bytes each. */
enum { LIVE_ROW_MAX = 1 + BL_COLUMNS_MAX };

#define LIVE_MAGIC "barlow\x1a\n"
#define LIVE_CAPACITY_MAX (INT64_C(1) << 36)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the live file is little-endian");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "words shared between processes must be lock-free");
_Static_assert(sizeof(bl_snapshot) % 8 == 0 && sizeof(bl_live_info) % 8 == 0 && sizeof(bl_column) % 8 == 0,
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
	struct live_turn info, snapshot, kept;
};

/* A slot goes FREE -> BUSY (by compare and swap) -> READY -> FREE; tickets give the order. */
enum { SLOT_FREE, SLOT_BUSY, SLOT_READY };
struct live_slot {
	_Atomic uint64_t state, ticket, kind, value, sender, name[BL_COLUMN_NAME / 8];
};
struct live_mailbox {
	_Atomic uint64_t tickets;
	struct live_slot slot[LIVE_SLOTS];
};

/*
 * What viewers look at.  Each asks into the slot of its ticket; one that dies
 * half-way, or two in one slot, leave a check that does not fit, which counts
 * as not having asked.
 */
struct live_ask {
	_Atomic uint64_t ticket, stamp, region[LIVE_ASK_WORDS], check; /* stamp: milliseconds of the monotonic clock */
};
struct live_asks {
	_Atomic uint64_t tickets;
	struct live_ask ask[LIVE_ASKS];
};

/* What is kept of a snapshot: all before the views, and the points. */
#define KEPT_HEAD offsetof(bl_snapshot, view_side)
#define KEPT_POINTS offsetof(bl_snapshot, points)
#define KEPT_TAIL (sizeof(bl_snapshot) - KEPT_POINTS)
_Static_assert(KEPT_HEAD % 8 == 0 && KEPT_POINTS % 8 == 0, "everything is copied by words of eight bytes");

/* begun = step before it is written, done = step after: a reader that finds its step in both, around its copy, has it whole. */
struct live_kept {
	struct live_turn turn;
	char bytes[KEPT_HEAD + KEPT_TAIL];
};
/* Which slots hold what, oldest first.  A snapshot is kept when `interval` steps have passed since the last. */
struct live_list {
	int64_t n, interval;
	struct { int64_t slot, step; } at[LIVE_KEPT];
};

struct live_columns {
	int64_t n;
	bl_column column[BL_COLUMNS_MAX];
};

struct live_image {
	alignas(LIVE_ALIGN) struct live_header header;
	alignas(LIVE_ALIGN) struct live_mailbox mailbox;
	struct live_asks asks;
	alignas(LIVE_ALIGN) bl_live_info info[2];
	alignas(LIVE_ALIGN) struct live_columns columns;
	alignas(LIVE_ALIGN) bl_snapshot snapshot[2];
	alignas(LIVE_ALIGN) struct live_list list[2];
	alignas(LIVE_ALIGN) struct live_kept kept[]; /* bl_livefile_slots of them; then the records, at bl_livefile_records_at */
};

/* Records never change once they are counted, so a reader may keep a run of them. */
struct live_cache {
	pthread_mutex_t lock;
	int64_t from, n;
	double run[LIVE_CACHE * LIVE_ROW_MAX];
};

struct bl_live {
	atomic_int refs;
	int fd;                       /* -1: memory of this process */
	struct live_image *image;     /* the writer's mapping of everything; NULL in a reader */
	size_t length;                /* of that mapping */
	struct live_image *front;     /* header and mailbox mapped for sending; NULL: read-only */
	int64_t capacity;
	size_t records_at;
	bl_columns columns;           /* of the records */
	int64_t written;              /* the writer's own count and list: the file's are not believed */
	struct live_list list;
	pthread_mutex_t writing;      /* set_info may come from any thread of the trainer's process */
	double started;               /* seconds since 1970, the writer's */
	int64_t pid;
	uint64_t pid_ticks;
	char boot[40];
	struct live_cache *cache;     /* readers only */
	char *path;                   /* where a reader opened it */
};

/* Bytes [at, at + n) of the file; n and at are multiples of 8.  False: they are not there. */
bool bl_livefile_load(const bl_live *l, size_t at, void *out, size_t n);
/* An eight-byte word, with acquire order; 0 when it is not there. */
uint64_t bl_livefile_word(const bl_live *l, size_t at);
/* Bytes the file has now. */
int64_t bl_livefile_size(const bl_live *l);
/* Copies into the writer's mapping. */
void bl_livefile_store(bl_live *l, size_t at, const void *in, size_t n);

/* Slots for kept snapshots of a run with room for so many records, and where its records begin. */
int64_t bl_livefile_slots(int64_t capacity);
size_t bl_livefile_records_at(int64_t capacity);
/* Bytes of a record. */
size_t bl_livefile_row(const bl_live *l);

/* live.c: newest-wins publishing, see struct live_turn; slots are `size` bytes long, of which the first n are read. */
void bl_live_turn_publish(bl_live *l, struct live_turn *turn, size_t slots_at, const void *in, size_t size);
/* 1: out is whole, 0: nothing was published, -1: overtaken again and again, or the file is cut short. */
int bl_live_turn_newest(const bl_live *l, size_t turn_at, size_t slots_at, size_t size, void *out, size_t n);
/* kept.c: keeps s if it is its turn.  Only the trainer's thread publishes snapshots. */
void bl_live_keep(bl_live *l, const bl_snapshot *s);
/* kept.c: those that another run's file kept until a step, by way of s; the last of them is l's newest. */
void bl_live_keep_past(bl_live *l, const bl_live *past, int64_t until, bl_snapshot *s);
/* Readers believe a snapshot only if this does, which also cleans its texts. */
bool bl_live_snapshot_clean(bl_snapshot *s);

/* Start of process pid in clock ticks since boot, 0 when unknown; and which boot this is ("" when unknown). */
uint64_t bl_livefile_process_start(int64_t pid);
void bl_livefile_boot(char boot[40]);

#endif
