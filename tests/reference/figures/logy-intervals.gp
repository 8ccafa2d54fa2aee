set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 322 background '#ffffff'
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
20000 1e-07 1e-09 1e-06
40000 1 0.5 2
120000 100000 10000 1000000
EOD
set origin 0, 0
set size noratio 1, 1
set title ''
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
set logscale y
set mytics default
set format y '%g'
set yrange [2.51188643e-10:3981071.71]
set offsets graph .02, graph .02, 0, 0
set key on outside center top horizontal reverse Left maxcols 1
plot $S0 with yerrorlines linecolor rgb '#0072b2' linewidth 1.4 pointtype 7 pointsize .45 dashtype 1 title 'total'
