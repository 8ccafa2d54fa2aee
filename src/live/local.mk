# SPDX-License-Identifier: GPL-3.0-or-later
libbarlow_sources += \
	src/live/asks.c \
	src/live/columns.c \
	src/live/disk.c \
	src/live/history.c \
	src/live/history.h \
	src/live/record_json.c \
	src/live/record_json.h \
	src/live/snapshots.c \
	src/live/live.c \
	src/live/live_open.c \
	src/live/livefile.c \
	src/live/livefile.h \
	src/live/mailbox.c \
	src/live/newest.c \
	src/live/file_owner.c \
	src/live/pack.c \
	src/live/live_resume.c \
	src/live/records.c \
	src/live/rescue.c \
	src/live/snapshot_check.c \
	src/live/version2.c \
	src/live/whole_file.c \
	src/live/writer.c
