set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 538 background '#ffffff'
set encoding utf8
set border 3 linecolor rgb '#404040' linewidth .8
set tics nomirror out scale .6, .35 textcolor rgb '#202020'
set mxtics 2
set mytics 2
set grid linecolor rgb '#e4e4e4' linewidth .6 linetype 1
set datafile missing NaN
set errorbars small
set key noenhanced samplen 1.8 spacing 1.1
set size ratio -1
unset grid
set border 15 linecolor rgb '#404040'
set xlabel 'j (second view)'
set ylabel 'i (first view)'
set palette defined (-1 '#0b3c7d', -.667 '#3f7fc0', -.333 '#a9cbe8', 0 '#fafafa', .333 '#f5b49a', .667 '#d25a45', 1 '#8c0f26')
set cbrange [-1:1]
set cbtics scale .4
set colorbox noborder
set cbtics ('±0.6' 0, '1' 1, '-1' -1, '0.9' 0.7478, '-0.9' -0.7478, '0.8' 0.4955, '-0.8' -0.4955, '0.7' 0.2433, '-0.7' -0.2433)
set cblabel 'within ±0.6: what chance gives at this batch size' offset 1.5, 0
set rmargin 15
set title 'small'."\n".'8 × 8'
set xrange [0.5:8.5]
set yrange [8.5:0.5]
set xtics 2, 2
set ytics 2, 2
plot '-' binary array=(512,512) format='%float32' dx=0.015625 dy=0.015625 origin=(0.5078125,0.5078125) with image notitle
