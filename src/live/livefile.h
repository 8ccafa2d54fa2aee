/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * livefile.h: the layout of a live file, and the handle of one.
 *
 *     header with a table of sections | sections of fixed sizes | rows of records and packed snapshots, as written
 *
 * Nothing is mapped into memory.  The trainer's handle has info, records and the newest snapshot in memory, protected
 * by a lock; the file is a copy of these, written with pwrite.  If another process truncates the file, or the disk is
 * full, only the copy is lost; it is rewritten from memory as soon as possible.  Readers use pread.  Data that change
 * have a checksum and two places, which are written alternately, so that the previous version stays intact.  A reader
 * that finds one place half written uses the other, or reads again.
 *
 * The file is little-endian.  A reader finds sections by name and skips unknown ones.  If a section is larger than a
 * reader expects, it reads the first bytes only.
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
/* Limits of the list of older snapshots (struct live_list); the newest snapshot is stored apart from it. */
enum { LIVE_SNAPSHOTS_SOME = BL_SNAPSHOTS_MAX - 1, LIVE_SNAPSHOTS_ALL = 1023 };
enum { LIVE_RETRY_MS = 3000 }; /* between two attempts to rewrite a broken file */

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
	int64_t capacity; /* number of steps of the run */
	int64_t pid;      /* of the writer; start time and boot show whether the pid was reused */
	uint64_t pid_ticks;
	char boot[40];
	uint64_t sections;
	struct live_section section[LIVE_SECTIONS_MAX];
	uint64_t check;
};

/*
 * Precedes data that are written alternately to the two halves of a section.  The n-th version (turn n) is in half n & 1;
 * `check` is the checksum of n and of the data, which follow this struct.  Readers use the newest intact version.
 */
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
 * A sequence of records with the same columns: `room` rows from byte `at` on, the first of which is record `first`.
 * The rows before the next extent's `first` (in the last extent: before the number of all records) are used.  A row
 * consists of the step, a value for each column, and a checksum of these, with eight bytes each.
 */
struct live_extent {
	int64_t first, room;
	uint64_t at, columns, check;
};
enum { LIVE_ROW_MAX = 2 + BL_COLUMNS_MAX };

/*
 * A command is valid if its ticket is one of the LIVE_SLOTS tickets after the last one taken, and its checksum is
 * right.
 */
struct live_slot {
	uint64_t ticket, kind, value, sender;
	char name[BL_COLUMN_NAME];
	uint64_t check;
};
struct live_mailbox {
	uint64_t magic, taken;
	struct live_slot slot[LIVE_SLOTS];
};

/* Requests of viewers.  A request is in slot ticket % LIVE_ASKS; it is ignored if its checksum is wrong. */
struct live_ask {
	uint64_t ticket, stamp, region[LIVE_ASK_WORDS], check; /* stamp: milliseconds of the monotonic clock */
};
struct live_asks {
	struct live_ask ask[LIVE_ASKS];
};

/* Older packed snapshots, oldest first.  A snapshot is added when `interval` steps have passed since the last one. */
struct live_stored {
	int64_t step;
	uint64_t at, size, room;
};
struct live_list {
	int64_t n, interval;
	struct live_stored kept[LIVE_SNAPSHOTS_ALL];
};

/* --- The handle --------------------------------------------------------------- */

/* An extent in the writer's memory. */
struct memory_extent {
	int64_t first, room, n;
	int columns;
	uint64_t at; /* offset of its rows in the file */
	double *rows;
};

/* The writer's state, protected by the handle's lock. */
struct live_writer {
	bl_live_info info;
	bl_columns columns;
	struct memory_extent extent[LIVE_EXTENTS_MAX];
	int extents;
	int64_t written;       /* number of records */
	uint64_t snapshots;    /* number of snapshots published */
	char *newest, *packed; /* packed snapshots: the newest, and one that is being added to the list */
	size_t newest_size;    /* 0: none yet */
	struct {
		uint64_t at, room;
	} area[2]; /* the two places of the newest snapshot in the file */
	struct live_list list;
	/*
	 * Snapshots of the list that are in memory instead of the file.  They are in slots of one block, which is
	 * allocated once, so that steps allocate nothing.
	 */
	char *blob[LIVE_SNAPSHOTS_ALL], *slots;
	size_t slot_size;
	int64_t most;                                /* limit of the list's length */
	struct live_stored hole[LIVE_SNAPSHOTS_ALL]; /* space of dropped snapshots in the file */
	int holes;
	bl_command queue[LIVE_SLOTS]; /* commands of this process while there is no file */
	int queued;
	struct live_ask own_ask;
	/* The copy on disk. */
	uint64_t end; /* bytes of the file that are in use */
	uint64_t turn[SECTIONS];
	uint64_t taken;            /* the last command's ticket */
	int failed;                /* the errno of the last failure */
	bool failing;              /* `failed` was reported, and the file has not been intact since */
	bool broken;               /* the file is damaged, and will be rewritten */
	int64_t look_at, retry_at; /* ms: time of the next check; if `broken`, of the next rewriting */
	int64_t check_at;          /* ms: time of the next comparison of the file with memory */
	int64_t checked;           /* rows compared so far; after the last row, 0 again */
	char *path;                /* absolute path of the file; NULL: there is no file yet */
	char *owner;               /* set by bl_live_owned; NULL: it was not called */
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
	int fd; /* -1: the run is in this process's memory only */
	pthread_mutex_t lock;
	bool commands; /* commands and requests may be sent */
	int64_t capacity;
	double started; /* when the writer started, seconds since 1970 */
	int64_t pid;
	uint64_t pid_ticks;
	char boot[40];
	char *path;             /* path that a reader opened */
	uint64_t device, inode; /* of the file that it opened */
	struct live_section section[SECTIONS];
	struct live_writer *writer; /* NULL in a reader */
	struct live_cache *cache;   /* readers only */
	char damage[160];           /* damage of the file that was read; "": none is known */
};

/* disk.c: reading and writing bytes. */
bool bl_disk_read(int fd, uint64_t at, void *out, size_t n);      /* false: fewer bytes were read */
int bl_disk_write(int fd, uint64_t at, const void *in, size_t n); /* 0, or an errno */
/*
 * Flushes a file to disk; call this before the file is renamed.  Otherwise a crash of the machine might leave the name
 * without the bytes.  Returns 0 or an errno.
 */
int bl_disk_sync(int fd);
/* Returns a checksum: FNV-1a over words of eight bytes, the last of which is padded with zeros. */
uint64_t bl_disk_check(uint64_t seed, const void *bytes, size_t n);
/* Reads the first n bytes of the newest turn of a section into out, padded with zeros.  False: no turn is intact. */
bool bl_disk_newest(int fd, const struct live_section *s, void *out, size_t n);
/* Locks a section against senders and viewers of other processes; negative with bl_error. */
int bl_disk_lock(int fd, const struct live_section *s);
void bl_disk_unlock(int fd, const struct live_section *s);
int64_t bl_disk_ms(void); /* of the monotonic clock */

static inline uint64_t bl_live_aligned(uint64_t n)
{
	return (n + LIVE_ALIGN - 1) / LIVE_ALIGN * LIVE_ALIGN;
}

/*
 * writer.c: called by the writer with the lock held.  Failures are recorded; nothing is written while the file is
 * broken.
 */
bool bl_writer_has_file(const bl_live *l); /* is there a file that is not broken? */
void bl_writer_fail(bl_live *l, int err);  /* a write has failed with this errno */
void bl_writer_put(bl_live *l, uint64_t at, const void *in, size_t n);
void bl_writer_turn(bl_live *l, int section, const void *in, size_t n); /* writes the next turn of a section */
void bl_writer_state(bl_live *l);                                       /* writes the next turn of the state */
/* Does the file contain these bytes at offset `at`? */
bool bl_writer_has(const bl_live *l, uint64_t at, const void *bytes, size_t n);
/* records.c: are columns, extents and the next few thousand rows in the file the same as in memory? */
bool bl_records_whole(bl_live *l);
/* Returns the offset of n new bytes at the end of the file, which are reserved if the file system can do that. */
uint64_t bl_writer_room(bl_live *l, size_t n);
/* Sets the problem that the run's message will report. */
void bl_writer_problem(bl_live *l, const char *fmt, ...) BL_PRINTF(2, 3);

/*
 * whole_file.c: bl_whole_check checks at intervals whether the file has lost its name, was truncated or
 * overwritten, or is broken, and restores it.  bl_whole_spoilt rewrites a damaged file at once.
 */
void bl_whole_check(bl_live *l);
void bl_whole_spoilt(bl_live *l);
void bl_whole_write(bl_live *l); /* writes the whole file */

/* newest.c: returns the step of the newest snapshot, or -1.  The lock is held. */
int64_t bl_live_newest_step(const bl_live *l);

/* records.c */
void bl_records_write(bl_live *l); /* writes all records and columns to a new file */
void bl_records_free(struct live_writer *w);

/*
 * pack.c: packs a snapshot into named parts, whose lengths depend on the snapshot.  bl_pack returns the number of
 * bytes; if `kept` is true, it leaves out views and region, as older snapshots do.
 */
size_t bl_pack_most(void);                             /* of any packed snapshot */
size_t bl_pack_snapshot_most(int32_t d);               /* of an older snapshot with width d; 0: no memory */
int64_t bl_pack_step(const char head[LIVE_PACK_HEAD]); /* of a packed snapshot, or -1 */
size_t bl_pack(const bl_snapshot *s, bool kept, char *out);
/* Unpacks n bytes.  False: they are damaged, or values are impossible. */
bool bl_unpack(const char *bytes, size_t n, bl_snapshot *out);
/* snapshot_check.c: are the values of a snapshot that was read possible?  Also cleans its texts. */
bool bl_live_snapshot_clean(bl_snapshot *s);

/*
 * file_owner.c: bl_owner_named checks whether the file still has its name, or was moved together with its folder.  If
 * not, bl_owner_regain restores the file, provided that the run still belongs to this process; it returns true if the
 * file was restored.
 */
bool bl_owner_named(const bl_live *l);
bool bl_owner_regain(bl_live *l);

/* snapshots.c */
void bl_snapshots_add(bl_live *l, const bl_snapshot *s); /* stores s if it is due; the lock is held */
/* Writes the snapshots in memory to a new file; those that only the old file has are lost. */
void bl_snapshots_write(bl_live *l);
void bl_snapshots_interval(bl_live *l, const bl_live *past); /* sets the interval as in another run's file */

/* newest.c: called by the writer with the lock held. */
void bl_newest_publish(bl_live *l, const bl_snapshot *s);

/* livefile.c: new handles, a reader's and a writer's, without a file.  NULL with bl_error. */
bl_live *bl_livefile_handle(void);
bl_live *bl_livefile_writer(int64_t steps, const bl_columns *columns);
void bl_livefile_free(bl_live *l);

/*
 * records.c: bl_row_unpack reads a row, bl_extent_sane checks an extent (both: false if it is damaged), and
 * bl_columns_read reads n columns of a file; with `named` it ends at the first name that is not valid.
 */
bool bl_row_unpack(const double *row, int columns, bl_record *out);
bool bl_extent_sane(const struct live_extent *e, uint64_t place);
void bl_columns_read(int fd, const struct live_section *s, int n, bool named, bl_columns *out);
/*
 * bl_livefile_sections (livefile.c) finds the sections by the file's header; negative with bl_error if the header is
 * damaged.  bl_whole_usual_sections (whole_file.c) sets the layout that this version writes.
 */
int bl_livefile_sections(bl_live *l, const struct live_header *h, const char *path);
void bl_whole_usual_sections(bl_live *l);

/*
 * rescue.c: reads the intact parts of a damaged file into a run in memory.  Returns NULL if a process is writing the
 * file, if the file is no live file, or if `look` is set and the file's tables are intact.
 */
bl_live *bl_rescue(int fd, const struct live_header *h, bool look, const char *path);

/* version2.c: reads a file of version 2 into a run in memory.  NULL with bl_error: the file is damaged. */
bl_live *bl_version2_open(int fd, const char *path);

#endif
