/* SPDX-License-Identifier: GPL-3.0-or-later */
/* text_stream.c: closes streams that write to memory. */
#include "base/text_stream.h"

#include <stdlib.h>

bool bl_text_stream_end(FILE *f, char **text)
{
	bool lost = !f || ferror(f) != 0;
	if (f && fclose(f) != 0)
		lost = true;
	if (!f)
		*text = NULL;
	if (!lost)
		return true;
	free(*text);
	*text = NULL;
	return false;
}
