/* SPDX-License-Identifier: GPL-3.0-or-later */
/* live/record_json.h: a record as a line of JSON, for other tools. */
#ifndef BARLOW_LIVE_RECORD_JSON_H
#define BARLOW_LIVE_RECORD_JSON_H

#include <barlow/live.h>
#include <stdio.h>

/* {"step": 1, "time": 0.25, ..., "knn": null}: numbers without the locale, null where nothing was measured.  Negative: f. */
int bl_record_json(const bl_record *r, const bl_columns *c, FILE *f);

#endif
