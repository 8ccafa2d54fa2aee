set encoding utf8
set border 3 linecolor rgb '#505050' linewidth 1
set tics nomirror out scale .6 textcolor rgb '#303030'
set grid linecolor rgb '#e2e2e2' linewidth 1 linetype 1
set key noenhanced samplen 2 spacing 1.2
set datafile missing NaN
$S0 << EOD
1 10 1 0.3
2 20 2 2
3 35 3 40
EOD
set title 'a'
set xlabel ''
set ylabel ''
unset logscale
set autoscale
set autoscale xfix
set xtics autofreq
set ytics autofreq
set format '%g'
set size noratio
set key outside center top horizontal reverse Left
plot $S0 with yerrorlines linecolor rgb '#0072b2' linewidth 2 pointtype 7 pointsize .7 dashtype 1 title 'mean'
