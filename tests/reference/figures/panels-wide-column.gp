set terminal svg noenhanced font 'sans-serif,10' size 322, 344 background '#ffffff'
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
20000 1e-07
40000 1
120000 100000
EOD
$S1 << EOD
20000 0.20512
40000 0.2052
120000 0.2057
EOD
set lmargin at screen 0.269
set rmargin at screen 0.9284
set multiplot
set origin 0, 0.3909
set size noratio 1, 0.6091
set title 'wide'
set xlabel ''
set label 1 'loss' at screen 0.05392, graph .5 center rotate
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set logscale y
set mytics default
set format y '%g'
set yrange [3.31131121e-08:301995.172]
set xtics 50000
set xrange [-2400:122400]
set offsets 0, 0, 0, 0
set key on outside center top horizontal reverse Left maxcols 1
plot $S0 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'total'
set origin 0, 0
set size noratio 1, 0.3909
set title ''
set xlabel 'step'
set label 1 'kNN accuracy'."\n".'(k = 200)' at screen 0.05392, graph .5 center rotate
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set xtics 50000
set xrange [-2400:122400]
set offsets 0, 0, graph .05, graph .05
set key off
set ytics 0.0002
plot $S1 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 notitle
unset multiplot
