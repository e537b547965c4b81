//! The scripts about entries with tags: see the module [`tags`](super::tags) for the format.
//!
//! `KEYS[1]` is the key of the entry. The scripts that read have the magic number and the beginning of the
//! keys of generations as their arguments. The keys of the tags follow that of the entry in the scripts that
//! write, and their last arguments belong to these keys.

use super::script::Script;

/// Reads an entry: `v` is the value, and `h` its tags as they are stored.
macro_rules! read_entry {
    ($then:literal) => {
        Script::new(concat!(
            "local v,m,h=redis.call('GET',KEYS[1]),#ARGV[1],'' ",
            "if v and string.sub(v,1,m)==ARGV[1] then ",
            "local p,n=m+2,string.byte(v,m+1) or 0 ",
            "for _=1,n do ",
            "local a,b=string.byte(v,p,p+1) ",
            "if not b then v=false break end ",
            "local e=p+1+a*256+b ",
            "local g=redis.call('GET',ARGV[2]..string.sub(v,p+2,e)) ",
            "if not g or g~=string.sub(v,e+1,e+16) then v=false break end ",
            "p=e+17 end ",
            "if v then h=string.sub(v,m+2,p-1) v=string.sub(v,p) end end ",
            $then
        ))
    };
}

/// Returns the value, the PTTL and the tags.
pub(super) static READ: Script = read_entry!("return {v,redis.call('PTTL',KEYS[1]),h}");
pub(super) static POP: Script = read_entry!("redis.call('DEL',KEYS[1]) return v");
pub(super) static CONTAINS: Script = read_entry!("return v and 1 or 0");

/// Lets the generation at `k` outlive entries that live for `ms`; half of its time is spare, so few
/// insertions change it.
macro_rules! extend {
    () => {
        "local left=redis.call('PTTL',k) \
if left>=0 and ms==0 then redis.call('PERSIST',k) \
elseif left>=0 and left<ms then redis.call('PEXPIRE',k,string.format('%.0f',2*ms)) end "
    };
}

/// Describes the tags in `h`. A tag without a generation gets the one in `ARGV[1]`. The last arguments are
/// the names of the tags.
macro_rules! describe {
    () => {
        concat!(
            "local ms,h=tonumber(ARGV[2]),{} ",
            "for i=2,#KEYS do ",
            "local k,t=KEYS[i],ARGV[#ARGV-#KEYS+i] ",
            "local g=redis.call('GET',k) ",
            "if not g or #g~=16 then g=ARGV[1] ",
            "if ms>0 then redis.call('SET',k,g,'PX',string.format('%.0f',2*ms)) ",
            "else redis.call('SET',k,g) end ",
            "else ",
            extend!(),
            "end ",
            "h[#h+1]=string.char(math.floor(#t/256),#t%256)..t..g end "
        )
    };
}

/// Stores `v` with the time in `ARGV[3]` and `ARGV[4]`.
macro_rules! store {
    () => {
        "if ARGV[3]=='' then return redis.call('SET',KEYS[1],v) end \
return redis.call('SET',KEYS[1],v,ARGV[3],ARGV[4])"
    };
}

/// Stores the value `ARGV[6]` with the generations of its tags at present. `ARGV[5]` is the magic number.
pub(super) static INSERT: Script = Script::new(concat!(
    describe!(),
    "local v=ARGV[5]..string.char(#KEYS-1)..table.concat(h)..ARGV[6] ",
    store!()
));

/// Returns the tags as an entry has them.
pub(super) static GENERATIONS: Script = Script::new(concat!(describe!(), "return table.concat(h)"));

/// Stores `ARGV[1]`, a value with its tags, unless the generation of one of them has changed. The last
/// arguments are the generations of the tags.
pub(super) static INSERT_UNDER: Script = Script::new(concat!(
    "local v,ms=ARGV[1],tonumber(ARGV[2]) ",
    "for i=2,#KEYS do local k=KEYS[i] ",
    "if redis.call('GET',k)~=ARGV[#ARGV-#KEYS+i] then return false end ",
    extend!(),
    "end ",
    store!()
));
