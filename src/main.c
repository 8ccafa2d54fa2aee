/* SPDX-License-Identifier: GPL-3.0-or-later */
/* main.c: the program; so far it tells its version. */
#include <config.h>

#include <stdio.h>

int main(void)
{
	return puts(PACKAGE_STRING) < 0;
}
