#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# Replaces the C tests if configure has not found cmocka.
echo "1..0 # SKIP the C tests need cmocka (Debian package libcmocka-dev)"
