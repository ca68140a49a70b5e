# Drawn by notrap plot; run with: gnuplot THIS > IMAGE
set terminal svg dynamic size 1063,640 noenhanced font "sans-serif,14" background rgb "white"
set encoding utf8
set style textbox opaque fillcolor rgb "white" noborder margins 0.3,0.3
set border 3 linecolor rgb "#555555"
set tics nomirror out
set style fill solid 1.0 border rgb "white"
set grid ytics linetype 1 linecolor rgb "#e6e6e6"
set format y "%.0f"
set ylabel "VM exits (count)"
set xrange [-0.6:5.2]
set yrange [0:51.04]
set xtics scale 0 ("kvm-2.6.20\nbypass=off" 0.0, "kvm-2.6.24\nbypass=off" 1.0, "kvm-2.6.25\nbypass=on" 2.0, "kvm-2.6.25\nbypass=off" 3.6, "kvm-2.6.25\nbypass=on" 4.6)
set label "kvm-2.6.25: 24 exits with the bypass, 44 without (-45.5%)" at graph 0.5, graph 1 center offset 0,1.6 textcolor rgb "#555555"
set title "How many VM exits does the guest page-fault bypass save\077" font "sans-serif,20" offset 0,1.8
set tmargin 5.4
set key outside right top vertical Left reverse invert samplen 1 spacing 1.3 title "exits by cause" left
set label "guests/mini.elf  memory=64M  mhz=100  (per #PF: #PF exits for each guest page fault)  notrap VERSION" at screen 0.02, screen 0.036 left textcolor rgb "#555555"
set bmargin 6.6
set label "touch pages=8" at first 1.00, graph 0 center offset 0,-3.4 font "sans-serif,15"
set label "fork procs=2, \042x\042" at first 4.10, graph 0 center offset 0,-3.4 font "sans-serif,15"
set label "9" at first 0.0, first 4.5 center front
set label "9" at first 0.0, first 13.5 center front textcolor rgb "white"
set label "9" at first 0.0, first 22.5 center front
set label "2" at first 0.0, first 28 center front textcolor rgb "white"
set label "29" at first 0.0, first 29 center front offset 0,1.6 boxed font "sans-serif,15"
set label "3.00 per #PF" at first 0.0, first 29 center front offset 0,0.6 boxed textcolor rgb "#555555"
set label "9" at first 1.0, first 4.5 center front textcolor rgb "white"
set label "9" at first 1.0, first 13.5 center front
set label "2" at first 1.0, first 19 center front textcolor rgb "white"
set label "20" at first 1.0, first 20 center front offset 0,1.6 boxed font "sans-serif,15"
set label "2.00 per #PF" at first 1.0, first 20 center front offset 0,0.6 boxed textcolor rgb "#555555"
set label "9" at first 2.0, first 5.5 center front
set label "2" at first 2.0, first 11 center front textcolor rgb "white"
set label "12" at first 2.0, first 12 center front offset 0,1.6 boxed font "sans-serif,15"
set label "1.11 per #PF" at first 2.0, first 12 center front offset 0,0.6 boxed textcolor rgb "#555555"
set label "21" at first 3.6, first 10.5 center front textcolor rgb "white"
set label "21" at first 3.6, first 31.5 center front
set label "2" at first 3.6, first 43 center front textcolor rgb "white"
set label "44" at first 3.6, first 44 center front offset 0,1.6 boxed font "sans-serif,15"
set label "2.00 per #PF" at first 3.6, first 44 center front offset 0,0.6 boxed textcolor rgb "#555555"
set label "21" at first 4.6, first 11.5 center front
set label "2" at first 4.6, first 23 center front textcolor rgb "white"
set label "24" at first 4.6, first 24 center front offset 0,1.6 boxed font "sans-serif,15"
set label "1.05 per #PF" at first 4.6, first 24 center front offset 0,0.6 boxed textcolor rgb "#555555"

# bar, from, to, height of "hidden_fill"
$part0 << EOD
0.0 0 9 9
1.0 0 0 0
2.0 0 0 0
3.6 0 0 0
4.6 0 0 0
EOD

# bar, from, to, height of "injected"
$part1 << EOD
0.0 9 18 9
1.0 0 9 9
2.0 0 1 1
3.6 0 21 21
4.6 0 1 1
EOD

# bar, from, to, height of "pt_write"
$part2 << EOD
0.0 18 27 9
1.0 9 18 9
2.0 1 10 9
3.6 21 42 21
4.6 1 22 21
EOD

# bar, from, to, height of "CR_ACCESS"
$part3 << EOD
0.0 27 29 2
1.0 18 20 2
2.0 10 12 2
3.6 42 44 2
4.6 22 24 2
EOD

plot $part0 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#56b4e9" title "#PF hidden_fill", \
     $part1 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#d55e00" title "#PF injected", \
     $part2 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#e69f00" title "#PF pt_write", \
     $part3 using 1:2:($1-0.36):($1+0.36):2:3 with boxxyerror linecolor rgb "#595959" title "CR_ACCESS"
