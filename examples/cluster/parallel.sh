#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# A sweep on several hosts by GNU parallel: one worker on each host, in a folder that all hosts share.
#
#     examples/cluster/parallel.sh /shared/lambda alpha beta gamma
folder=$1
shift
exec parallel --jobs 0 --line-buffer ssh {} barlow sweep worker "$folder" ::: "$@"
