/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * livefile.h: the layout of a live file, and the handle of one.
 *
 *     header with a table of sections | sections of fixed places | rows of records and packed snapshots, as they came
 *
 * Nothing is mapped.  The trainer's handle holds info, records and the newest snapshot in memory under a lock; the file is
 * a copy of that, written with pwrite.  If another process truncates the file, or the disk is full, only the copy is lost,
 * not the run: it is written again from memory as soon as possible.  Readers use pread.  Data that change have a checksum
 * and two places, written in turn, of which the older one stays intact: a reader that finds one half written takes the
 * other, or reads again.
 *
 * Little-endian.  A reader finds sections by name, skips unknown ones, and reads the first bytes of one that is larger than
 * it expects.
 */
#ifndef BARLOW_LIVE_LIVEFILE_H
#define BARLOW_LIVE_LIVEFILE_H

#include <barlow/error.h>
#include <barlow/live.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { LIVE_VERSION = 3, LIVE_MARK = 0x01020304, LIVE_ALIGN = 64 };
enum { LIVE_SECTION_NAME = 16, LIVE_SECTIONS_MAX = 32 };
enum { LIVE_SLOTS = 16, LIVE_ASKS = 8, LIVE_ASK_WORDS = 5, LIVE_EXTENTS_MAX = 192, LIVE_CACHE = 128, LIVE_PACK_HEAD = 32 };
enum { LIVE_SNAPSHOTS_SOME = BL_SNAPSHOTS_MAX - 1, LIVE_SNAPSHOTS_ALL = 1023 }; /* the newest snapshot counts as kept too */
enum { LIVE_RETRY_MS = 3000 }; /* between two attempts to write a broken file again */

#define LIVE_MAGIC "barlow\x1a\n"
#define LIVE_MAILBOX_MAGIC UINT64_C(0x0a1a786f626c696d)
#define LIVE_SNAPSHOT_MAGIC UINT64_C(0x0a1a746f68737062)
#define LIVE_CAPACITY_MAX (INT64_C(1) << 36)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the live file is little-endian");

/* --- On disk --------------------------------------------------------------- */

struct live_section {
	char name[LIVE_SECTION_NAME];
	uint64_t at, size;
};

enum { SECTION_MAILBOX, SECTION_ASKS, SECTION_INFO, SECTION_STATE, SECTION_COLUMNS, SECTION_EXTENTS, SECTION_SNAPSHOTS, SECTIONS };

struct live_header {
	char magic[8];
	uint32_t version, mark;
	int64_t capacity; /* steps that the run has */
	int64_t pid;      /* of the writer; with its start time and the boot, so that a reused pid is recognised */
	uint64_t pid_ticks;
	char boot[40];
	uint64_t sections;
	struct live_section section[LIVE_SECTIONS_MAX];
	uint64_t check;
};

/* Turn n is in half n & 1 of its section, with a checksum of n and of all that follows `check`; the newest intact one counts. */
struct live_turn {
	uint64_t turn, length, check;
};

/* The current counts, and the place of the newest snapshot. */
struct live_state {
	uint64_t records, snapshots;
	uint32_t columns, extents;
	uint64_t snapshot_at, snapshot_size;
};

/*
 * A run of records with the same columns: `room` rows from byte `at` on, of which those before the next extent's first
 * (or the count of all) are used.  A row: the step, a value for each column, a check of both; eight bytes each.
 */
struct live_extent {
	int64_t first, room;
	uint64_t at, columns, check;
};
enum { LIVE_ROW_MAX = 2 + BL_COLUMNS_MAX };

/* A command is valid if its ticket is one of the LIVE_SLOTS after those taken, and its checksum fits. */
struct live_slot {
	uint64_t ticket, kind, value, sender;
	char name[BL_COLUMN_NAME];
	uint64_t check;
};
struct live_mailbox {
	uint64_t magic, taken;
	struct live_slot slot[LIVE_SLOTS];
};

/* Requests of viewers.  Each writes the slot of its ticket; one whose checksum does not fit is ignored. */
struct live_ask {
	uint64_t ticket, stamp, region[LIVE_ASK_WORDS], check; /* stamp: milliseconds of the monotonic clock */
};
struct live_asks {
	struct live_ask ask[LIVE_ASKS];
};

/* Packed snapshots of the past, oldest first.  One is kept when `interval` steps have passed since the last. */
struct live_stored {
	int64_t step;
	uint64_t at, size, room;
};
struct live_list {
	int64_t n, interval;
	struct live_stored kept[LIVE_SNAPSHOTS_ALL];
};

/* --- The handle --------------------------------------------------------------- */

/* An extent as the writer has it in memory. */
struct memory_extent {
	int64_t first, room, n;
	int columns;
	uint64_t at; /* of its rows in the file */
	double *rows;
};

/* The writer's side, all under the handle's lock. */
struct live_writer {
	bl_live_info info;
	bl_columns columns;
	struct memory_extent extent[LIVE_EXTENTS_MAX];
	int extents;
	int64_t written;       /* records */
	uint64_t snapshots;    /* published */
	char *newest, *packed; /* room for a packed snapshot each: the newest, and one that is to be kept */
	size_t newest_size;    /* 0: none yet */
	struct {
		uint64_t at, room;
	} area[2]; /* of the newest snapshots in the file */
	struct live_list list;
	/* Those of the list that are in memory, not in the file: in slots of one block, made once, so that steps allocate none. */
	char *blob[LIVE_SNAPSHOTS_ALL], *slots;
	size_t slot_size;
	int64_t most;                                /* snapshots to keep */
	struct live_stored hole[LIVE_SNAPSHOTS_ALL]; /* room in the file that thinning has left */
	int holes;
	bl_command queue[LIVE_SLOTS]; /* of this process, while there is no file */
	int queued;
	struct live_ask own_ask;
	/* The copy on disk. */
	uint64_t end; /* bytes of the file that are in use */
	uint64_t turn[SECTIONS];
	uint64_t taken;            /* the last command's ticket */
	int failed;                /* the errno of the last failure */
	bool failing;              /* the failure was reported, and the file has not been intact since */
	bool broken;               /* the file is damaged, and will be written again */
	int64_t look_at, retry_at; /* ms: the time of the next check, and, if broken, of the next attempt */
	int64_t check_at;          /* ms: when its content is compared with memory */
	int64_t checked;           /* rows of the extents that were compared; begins again at 0 */
	char *path;                /* of the file, absolute; NULL: there was none yet */
	char *owner;               /* of bl_live_owned; NULL: it was not called */
	bl_live_claim *claim;
	bool lost;   /* it was reported that another trainer owns the folder */
	bool spoken; /* `problem` was reported */
	char problem[200];
};

/* Records do not change once they are counted, so a reader may cache them. */
struct live_cache {
	int64_t from, n;
	int columns;
	double rows[LIVE_CACHE * LIVE_ROW_MAX];
};

struct bl_live {
	atomic_int refs;
	int fd; /* -1: memory of this process */
	pthread_mutex_t lock;
	bool commands; /* may send and ask */
	int64_t capacity;
	double started; /* seconds since 1970, the writer's */
	int64_t pid;
	uint64_t pid_ticks;
	char boot[40];
	char *path;             /* where a reader opened it */
	uint64_t device, inode; /* of what it opened */
	struct live_section section[SECTIONS];
	struct live_writer *writer; /* NULL in a reader */
	struct live_cache *cache;   /* readers only */
	char damage[160];           /* of the file that it was read from; "": none that is known */
};

/* disk.c: reading and writing bytes. */
bool bl_disk_read(int fd, uint64_t at, void *out, size_t n);      /* false: they are not there */
int bl_disk_write(int fd, uint64_t at, const void *in, size_t n); /* 0, or the errno of what failed */
/* Before a file is renamed: otherwise a crash of the machine might leave the name without the bytes.  0 or errno. */
int bl_disk_sync(int fd);
/* FNV-1a over words of eight bytes, of which what is left over counts as filled up by 0. */
uint64_t bl_disk_check(uint64_t seed, const void *bytes, size_t n);
/* The newest turn of a section into out: its first n bytes, 0 where it is shorter.  False: there is none that is whole. */
bool bl_disk_newest(int fd, const struct live_section *s, void *out, size_t n);
/* Locks a section against senders and viewers of other processes; negative with bl_error. */
int bl_disk_lock(int fd, const struct live_section *s);
void bl_disk_unlock(int fd, const struct live_section *s);
int64_t bl_disk_ms(void); /* of the monotonic clock */

static inline uint64_t bl_live_aligned(uint64_t n)
{
	return (n + LIVE_ALIGN - 1) / LIVE_ALIGN * LIVE_ALIGN;
}

/* writer.c: by the writer, under the lock.  Failures are stored; nothing is written while the file is broken. */
bool bl_writer_has_file(const bl_live *l);
void bl_writer_fail(bl_live *l, int err); /* a write has failed with this errno */
void bl_writer_put(bl_live *l, uint64_t at, const void *in, size_t n);
void bl_writer_turn(bl_live *l, int section, const void *in, size_t n);
void bl_writer_state(bl_live *l);
/* Does the file contain these bytes? */
bool bl_writer_has(const bl_live *l, uint64_t at, const void *bytes, size_t n);
/* records.c: are columns, extents and the next few thousand rows in the file the same as in memory? */
bool bl_records_whole(bl_live *l);
/* Room for n bytes at the end of the file, reserved where it can be. */
uint64_t bl_writer_room(bl_live *l, size_t n);
void bl_writer_problem(bl_live *l, const char *fmt, ...) BL_PRINTF(2, 3);

/* whole_file.c: the file was truncated or overwritten, or a write failed some time ago: it is written again. */
void bl_whole_look_after(bl_live *l);
void bl_whole_spoilt(bl_live *l);
void bl_whole_write(bl_live *l); /* the whole file, from its first byte on */

/* newest.c: the step of the newest snapshot, or -1; under the writer's lock. */
int64_t bl_live_newest_step(const bl_live *l);

/* records.c */
void bl_records_write(bl_live *l); /* all of them and their columns, anew */
void bl_records_free(struct live_writer *w);

/* pack.c: a snapshot as named parts, as long as they need to be.  kept: without views and region. */
size_t bl_pack_most(void);
size_t bl_pack_snapshot_most(int32_t d);               /* of a kept one of width d; 0: no memory */
int64_t bl_pack_step(const char head[LIVE_PACK_HEAD]); /* of a packed one, or -1 */
size_t bl_pack(const bl_snapshot *s, bool kept, char *out);
/* False: it is damaged, or its values are impossible. */
bool bl_unpack(const char *bytes, size_t n, bl_snapshot *out);
/* snapshot_check.c: are the values of a snapshot that was read possible?  Also cleans its texts. */
bool bl_live_snapshot_clean(bl_snapshot *s);

/*
 * file_owner.c: does the file still have its name, or was it moved with its folder?  If not, bl_owner_regain restores it,
 * if the run is ours.
 */
bool bl_owner_named(const bl_live *l);
bool bl_owner_regain(bl_live *l);

/* snapshots.c */
void bl_snapshots_add(bl_live *l, const bl_snapshot *s);     /* keeps s if it is its turn; by the writer, under the lock */
void bl_snapshots_write(bl_live *l);                         /* what is in memory into a new file; what was in the old is lost */
void bl_snapshots_interval(bl_live *l, const bl_live *past); /* as in another run's file */

/* newest.c: by the writer, under the lock */
void bl_newest_publish(bl_live *l, const bl_snapshot *s);

/* livefile.c */
bl_live *bl_livefile_handle(void);
bl_live *bl_livefile_writer(int64_t steps, const bl_columns *columns);
void bl_livefile_free(bl_live *l);

/* records.c: a row, an extent and the columns of a file; named: those up to the first whose name cannot be one. */
bool bl_row_unpack(const double *row, int columns, bl_record *out);
bool bl_extent_sane(const struct live_extent *e, uint64_t place);
void bl_columns_read(int fd, const struct live_section *s, int n, bool named, bl_columns *out);
/* livefile.c: the sections of a file by its head; negative: that is damaged.  whole_file.c: as this program lays them out. */
int bl_livefile_sections(bl_live *l, const struct live_header *h, const char *path);
void bl_whole_usual_sections(bl_live *l);

/*
 * rescue.c: the intact parts of a damaged file, as a run in memory.  NULL: a process is writing it, it is no live file, or, with
 * `look`, its tables are intact.
 */
bl_live *bl_rescue(int fd, const struct live_header *h, bool look, const char *path);

/* version2.c: a file of version 2 as a run in memory.  NULL with bl_error: it is damaged. */
bl_live *bl_version2_open(int fd, const char *path);

#endif
