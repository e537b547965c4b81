# Reads the log of `flash_kills` over many runs. Fails where a run does not hold, for each key, the last
# value whose write returned, or the value of the one write under way at the kill. The value 0 is none.

$1 == "holds" { holds[$2] = $3 }

$1 == "opened," {
    opened++
    for (key = 0; key < 7; key++) {
        held = key in holds ? holds[key] : 0
        expected = key in last ? last[key] : 0
        if (held == expected) {
            kept += held != 0
        } else if (begun && key == begun_key && held == begun_value) {
            taken++
        } else {
            printf "run %d: key %d holds %d, not %d\n", opened, key, held, expected
            failed = 1
        }
        last[key] = held
    }
    begun = 0
    delete holds
    damaged = $2 > damaged ? $2 : damaged
    erases = $4
}

$1 == "begin" {
    begun = 1
    begun_key = $2
    begun_value = $3
}

$1 == "end" {
    last[$2] = $3
    begun = 0
    writes++
}

/FAILED|panicked/ {
    print
    failed = 1
}

END {
    printf "   %d runs opened, %d writes returned, %d values were kept, %d writes under way took effect\n",
        opened, writes, kept, taken
    printf "   %d erases, at most %d damaged records in a run\n", erases, damaged
    # Hundreds of kills that no write or erase preceded would show nothing.
    exit failed || opened < 10 || writes < opened || erases < opened / 50
}
