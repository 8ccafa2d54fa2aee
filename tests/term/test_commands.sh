#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# The table of commands: parsing of command lines, help, the manual's sections, and completions.
# UPDATE_GOLDEN=1 regenerates the manual's sections.
. "$SRCDIR/tests/term/setup.sh"

cd "$dir" || exit 1
mkdir -p data/barlow/runs/first-20260101-000000 data/barlow/runs/second-20260101-000000

# says STATUS WORDS ARGUMENTS: barlow prints the words, on standard output or error
says() {
	want=$1 words=$2
	shift 2
	"$BARLOW" "$@" >out 2>&1 </dev/null
	[ $? -eq "$want" ] && grep -qF -- "$words" out
}

commands=$("$BARLOW" --help | sed -n 's/^       barlow \([a-z]*\).*/\1/p')
check "commands are found" [ "$(echo "$commands" | wc -l)" -ge 5 ]
for command in $commands; do
	check "$command --help" says 0 "usage: barlow $command" "$command" --help
	check "$command -h" says 0 "usage: barlow $command" "$command" -h
	check "help $command" says 0 "usage: barlow $command" help "$command"
	check "$command: an unknown option" says 2 "barlow $command: unknown option '--bogus'" "$command" --bogus
done
check "help of the program" says 0 "usage: barlow [options] [script" help

check "a wrong command: the nearest is suggested" says 2 "no command and no file 'wacth' (did you mean 'barlow watch'?)" wacth
check "a word that resembles no command is a script" says 1 "cannot open xylophone" xylophone
echo 'print "ran"' >wacth.lua
check "a file whose name resembles a command is a script" says 0 "ran" wacth.lua
echo 'print "ran"' >wacth
check "... also without an ending" says 0 "ran" wacth
check "help of a wrong command: the nearest is suggested" says 2 "no command 'tunr' (did you mean 'tune'?)" help tunr
check "a wrong option: the nearest is suggested" says 2 "(did you mean '--read-only'?)" watch --raed-only
check "an abbreviated option" says 1 "no run named none" watch --on none
check "an invalid value after =" says 2 "as in 120x40, got '3x'" watch --size=3x
check "... as a separate word" says 2 "as in 120x40, got '3x'" watch --size 3x
check "... missing" says 2 "missing after '--size'" watch --size
check "... for an option that takes none" says 2 "option '--once' takes no argument" watch --once=yes
check "an invalid value after a letter" says 2 "from 1 to 256, got '0'" tune -t0
check "several letters in one word" says 0 "42" -ie 'print(42)'
check "options after operands" says 2 "from 1 to 256, got 'x'" resume none -t x
check "-- ends options" says 1 "no run named --once" watch -- --once
check "too many operands" says 2 "'b' is one argument too many" watch a b
check "a required operand" says 2 "expected shell" completions
check "... and an invalid one" says 2 "expected bash, zsh or fish, got 'tcsh'" completions tcsh
echo 'print(table.concat(arg, " "))' >echo.lua
check "a script's options are passed to it" says 0 "-t many --help watch" echo.lua -t many --help watch

# The manual
manual=$SRCDIR/man/barlow.1
section() { awk '/^[.].. commands: end$/ { on = 0 } on; /^[.].. commands: begin$/ { on = 1 }' "$manual"; }
"$BARLOW" help --man >want
if [ -n "${UPDATE_GOLDEN:-}" ]; then
	{
		awk '{ print } /^[.].. commands: begin$/ { exit }' "$manual"
		cat want
		awk '/^[.].. commands: end$/ { on = 1 } on' "$manual"
	} >new && cp new "$manual"
fi
same_manual() { section | diff - want >out; }
check "the manual's sections are equal to the table's" same_manual
check "... and name every command" [ "$(grep -c '^\.SS' want)" -eq "$(echo "$commands" | wc -l)" ]

# Completions
"$BARLOW" completions bash >completions.bash
"$BARLOW" completions zsh >_barlow
"$BARLOW" completions fish >barlow.fish
mkdir -p here/folder && touch here/a.lua here/b.txt
# bash_gives WORDS WORD...: bash's completions of the last word, sorted
cat >ask.bash <<-'END'
	source "$1"
	shift
	cd here
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
	_barlow
	printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | tr '\n' ' '
END
bash_gives() {
	want=$1
	shift
	bash ask.bash "$dir/completions.bash" barlow "$@" >out 2>&1
	[ "$(cat out)" = "$want " ]
}
if command -v bash >/dev/null 2>&1; then
	check "bash: commands" bash_gives "watch" wa
	# $commands consists of several words.
	# shellcheck disable=SC2086
	check "... and scripts" bash_gives "$(printf '%s\n' $commands a.lua folder | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')" ""
	check "... options" bash_gives "--once" watch --on
	check "... runs, and folders" bash_gives "first-20260101-000000 folder" watch f
	check "... runs for another command" bash_gives "second-20260101-000000" resume s
	check "... an option's folder" bash_gives "folder" resume --data ""
	check "... words" bash_gives "fish" completions f
	check "... commands for help" bash_gives "resume" help re
	check "... a script's own files" bash_gives "a.lua b.txt folder" a.lua ""
	check "... nothing for an unknown value" bash_gives "" resume --threads ""
else
	skip "bash: completions" "bash is not installed"
fi
if command -v zsh >/dev/null 2>&1; then
	check "zsh: the completions are valid" zsh -fn _barlow
	check "... and can be loaded" zsh -fc 'autoload -U compinit && compinit -D -u && . ./_barlow && (( ${+_comps[barlow]} ))'
else
	skip "zsh: completions" "zsh is not installed"
fi
fish_gives() {
	want=$1
	(cd here && HOME=$dir fish --no-config -c "source $dir/barlow.fish; complete -C '$2'") 2>&1 | cut -f 1 | LC_ALL=C sort | tr '\n' ' ' >out
	[ "$(cat out)" = "$want " ]
}
if command -v fish >/dev/null 2>&1; then
	check "fish: the completions are valid" fish -n barlow.fish
	check "... commands" fish_gives "watch" "barlow wa"
	check "... options" fish_gives "--once" "barlow watch --on"
	check "... runs" fish_gives "second-20260101-000000" "barlow resume se"
	check "... words" fish_gives "bash" "barlow completions b"
else
	skip "fish: completions" "fish is not installed"
fi
echo "1..$number"
