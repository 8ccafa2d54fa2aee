set terminal svg noenhanced font 'sans-serif,11.3333333' size 672, 464 background '#ffffff'
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
set cbtics ('±0.9' 0, '1' 1, '-1' -1, '0.98' 0.8, '-0.98' -0.8, '0.96' 0.6, '-0.96' -0.6, '0.94' 0.4, '-0.94' -0.4, '0.92' 0.2, '-0.92' -0.2)
set cblabel 'within ±0.9: chance' offset 1.5, 0
set rmargin 15
set multiplot
set colorbox user origin 0.8714, 0.5931 size 0.01714, 0.2786
set lmargin at screen 0.07857
set rmargin at screen 0.271
set tmargin at screen 0.8717
set bmargin at screen 0.5931
set ylabel 'i (first view)'
set xlabel 'j (second view)'
set title 'one'."\n".'2 × 2'
set xrange [0.5:2.5]
set yrange [2.5:0.5]
set xtics 1, 1
set ytics 1, 1
# positions on the colour map; the labels of the scale have the values
$M << EOD
1 0
0 1
EOD
plot $M matrix using (1 + 1 * $1):(1 + 1 * $2):3 with image notitle
unset colorbox
set lmargin at screen 0.3667
set rmargin at screen 0.559
set tmargin at screen 0.8717
set bmargin at screen 0.5931
set ylabel ''
set xlabel 'j (second view)'
set title 'it'."'".'s {another} with a name…'."\n".'3 × 3'
set xrange [0.5:3.5]
set yrange [3.5:0.5]
set xtics 1, 1
set ytics 1, 1
# positions on the colour map; the labels of the scale have the values
$M << EOD
1 0 0
0 1 0
0 0 1
EOD
plot $M matrix using (1 + 1 * $1):(1 + 1 * $2):3 with image notitle
set lmargin at screen 0.6548
set rmargin at screen 0.8471
set tmargin at screen 0.8717
set bmargin at screen 0.5931
set ylabel ''
set xlabel 'j (second view)'
set title 'c'."\n".'4 × 4'
set xrange [0.5:4.5]
set yrange [4.5:0.5]
set xtics 1, 1
set ytics 1, 1
# positions on the colour map; the labels of the scale have the values
$M << EOD
1 0 0 0
0 1 0 0
0 0 1 0
0 0 0 1
EOD
plot $M matrix using (1 + 1 * $1):(1 + 1 * $2):3 with image notitle
set lmargin at screen 0.07857
set rmargin at screen 0.271
set tmargin at screen 0.3717
set bmargin at screen 0.0931
set ylabel 'i (first view)'
set xlabel 'j (second view)'
set title 'd'."\n".'5 × 5'
set xrange [0.5:5.5]
set yrange [5.5:0.5]
set xtics 1, 1
set ytics 1, 1
# positions on the colour map; the labels of the scale have the values
$M << EOD
1 0 0 0 0
0 1 0 0 0
0 0 1 0 0
0 0 0 1 0
0 0 0 0 1
EOD
plot $M matrix using (1 + 1 * $1):(1 + 1 * $2):3 with image notitle
set lmargin at screen 0.3667
set rmargin at screen 0.559
set tmargin at screen 0.3717
set bmargin at screen 0.0931
set ylabel ''
set xlabel 'j (second view)'
set title 'e'."\n".'6 × 6'
set xrange [0.5:6.5]
set yrange [6.5:0.5]
set xtics 1, 1
set ytics 1, 1
# positions on the colour map; the labels of the scale have the values
$M << EOD
1 0 0 0 0 0
0 1 0 0 0 0
0 0 1 0 0 0
0 0 0 1 0 0
0 0 0 0 1 0
0 0 0 0 0 1
EOD
plot $M matrix using (1 + 1 * $1):(1 + 1 * $2):3 with image notitle
unset multiplot
