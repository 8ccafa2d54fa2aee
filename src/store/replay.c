/* SPDX-License-Identifier: GPL-3.0-or-later */
/* replay.c: checks that steps of a stored run can be repeated on this machine with the same bits. */
#include "store/machine.h"

#include <barlow/error.h>
#include <barlow/run_file.h>
#include <barlow/runs.h>
#include <barlow/tensor.h>

#include <config.h>
#include <string.h>

static int compare(const char *folder, const char *what, const char *of_run, const char *here)
{
	if (!of_run[0] || strcmp(of_run, here) == 0)
		return 0;
	return bl_fail("%s: the run was made with %s %s, but this is %s: its steps would not give the same bits", folder, what,
	               of_run, here);
}

static int check(const char *folder, const bl_run_file *f)
{
	char cpu[BL_MACHINE_TEXT];
	if (compare(folder, "barlow", f->barlow, PACKAGE_VERSION) != 0 ||
	    compare(folder, "the CPU and kernels", f->cpu, bl_machine(cpu)) != 0)
		return -1;
	return compare(folder, "the BLAS core", f->blas, bl_blas_core());
}

int bl_runs_check_replay(const char *folder)
{
	bl_run_file f;
	int rc = bl_run_file_read(folder, &f);
	if (rc > 0)
		return bl_fail("%s: there is no " BL_RUN_FILE
		               " that says which machine made the run: its steps cannot be repeated bit for bit",
		               folder);
	if (rc == 0)
		rc = check(folder, &f);
	bl_run_file_free(&f);
	return rc;
}
