set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 484 background '#ffffff'
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
0.001 0.3
1 2
5000 40
EOD
set lmargin at screen 0.05302
set rmargin at screen 0.9727
set multiplot
set origin 0, 0.4007
set size noratio 1, 0.5993
set title 'above'
set xlabel ''
unset label 1
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
set yrange [9.51124302:36.7985551]
set ytics (10, '' 12.5 1, 15, '' 17.5 1, 20, '' 22.5 1, 25, '' 27.5 1, 30, '' 32.5 1, 35, '' 37.5 1)
set offsets graph .02, graph .02, 0, 0
set key on outside center top horizontal reverse Left maxcols 1
plot $S0 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'it'."'".'s'
set origin 0, 0
set size noratio 1, 0.4007
set title 'below'
set xlabel ''
unset label 1
unset logscale
set autoscale
set autoscale fix
set xtics autofreq
set ytics autofreq scale .6, .35
set mxtics 2
set mytics 2
set format '%g'
set offsets graph .02, graph .02, graph .05, graph .05
set key on outside center top horizontal reverse Left maxcols 1
set ytics 10
plot $S1 with linespoints linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'across'
unset multiplot
