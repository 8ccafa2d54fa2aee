set terminal pngcairo noenhanced font 'Sans,8.5' fontscale 3.125 linewidth 4.16666667 pointscale 4.16666667 size 2100, 1056
set encoding utf8
set border 3 linecolor rgb '#404040' linewidth .8
set tics nomirror out scale .6, .35 textcolor rgb '#202020'
set mxtics 2
set mytics 2
set grid linecolor rgb '#e4e4e4' linewidth .6 linetype 1
set datafile missing NaN
set errorbars small
set key noenhanced samplen 1.8 spacing 1.1
$S0 << EOD
1 10
2 20
3 35
EOD
$S1 << EOD
1 0.3
2 2
3 40
EOD
set origin 0, 0
set size noratio 1, 1
set title '50% of $x_1$ {\input a} ~^#& λ'
set xlabel 'x'
set ylabel 'y'
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set offsets graph .02, graph .02, graph .05, graph .05
set key on outside center top horizontal reverse Left maxcols 2
plot $S0 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'it'."'".'s', $S1 with linespoints linecolor rgb '#d55e00' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title ''."'".'quoted'."'".' \xff\x1b[31m \u{202e}'
