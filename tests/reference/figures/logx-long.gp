set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 338 background '#ffffff'
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
0.001 0.3
1 2
5000 40
EOD
set origin 0, 0
set size noratio 1, 1
set title 'a'
set xlabel ''
set ylabel ''
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set logscale x
set mxtics default
set format x '%g'
set xrange [0.000539561806:9266.77897]
set offsets 0, 0, graph .05, graph .05
set key on outside center top horizontal reverse Left maxcols 1
plot $S0 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'across'
