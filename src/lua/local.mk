# SPDX-License-Identifier: GPL-3.0-or-later
face_sources += \
	src/lua/embed.h
