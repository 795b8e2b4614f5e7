{
  "variables": {
    "tt_isa%": "<!(node scripts/kernel-sources.mjs --isa)",
    "tt_kernels": ["<!@(node scripts/kernel-sources.mjs)"],
    "tt_flags": [
      "-std=c++20", "-O3", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", "-fno-math-errno",
      "-fno-trapping-math", "-ffp-contract=off", "-fno-plt", "-Wall", "-Wextra", "-Wno-psabi", "-Wno-unknown-warning-option"
    ]
  },
  "target_defaults": {
    "cflags!": ["-fno-omit-frame-pointer"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti", "-fno-exceptions", "-O3"],
    "cflags_cc": ["<@(tt_flags)"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "CLANG_CXX_LIBRARY": "libc++",
      "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
      "GCC_ENABLE_CPP_RTTI": "NO",
      "MACOSX_DEPLOYMENT_TARGET": "11.0",
      "OTHER_CPLUSPLUSFLAGS": ["<@(tt_flags)"]
    },
    "msbuild_toolset": "ClangCL",
    "msvs_settings": {
      "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20", "/clang:-O3", "/clang:-fno-math-errno", "/clang:-ffp-contract=off"] }
    }
  },
  "targets": [
    {
      "target_name": "typetorch",
      "sources": ["native/node_api.cc", "native/owners.cc", "native/memory.cc", "native/pool.cc"],
      "defines": ["NAPI_VERSION=8"],
      "conditions": [
        ["OS=='linux'", { "ldflags": ["-Wl,-z,nodelete", "-Wl,--gc-sections"], "libraries": ["-lpthread"] }],
        ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v4')", { "dependencies": ["kernels_v4"], "defines": ["TT_HAS_V4"] }],
        ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v3')", { "dependencies": ["kernels_v3"], "defines": ["TT_HAS_V3"] }],
        ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v2')", { "dependencies": ["kernels_v2"], "defines": ["TT_HAS_V2"] }],
        ["target_arch=='arm64'", { "dependencies": ["kernels_neon"], "defines": ["TT_HAS_NEON"] }],
        ["target_arch!='x64' and target_arch!='arm64'", { "dependencies": ["kernels_generic"], "defines": ["TT_HAS_GENERIC"] }]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v4')", {
      "targets": [{
        "target_name": "kernels_v4", "type": "static_library", "sources": ["<@(tt_kernels)"],
        "defines": ["KERNEL_NS=v4"],
        "cflags_cc": ["-march=x86-64-v4", "-mprefer-vector-width=512"],
        "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-march=x86-64-v4", "-mprefer-vector-width=512"] },
        "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/clang:-march=x86-64-v4", "/clang:-mprefer-vector-width=512"] } }
      }]
    }],
    ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v3')", {
      "targets": [{
        "target_name": "kernels_v3", "type": "static_library", "sources": ["<@(tt_kernels)"],
        "defines": ["KERNEL_NS=v3"],
        "cflags_cc": ["-march=x86-64-v3"],
        "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-march=x86-64-v3"] },
        "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/clang:-march=x86-64-v3"] } }
      }]
    }],
    ["target_arch=='x64' and (tt_isa=='all' or tt_isa=='v2')", {
      "targets": [{
        "target_name": "kernels_v2", "type": "static_library", "sources": ["<@(tt_kernels)"],
        "defines": ["KERNEL_NS=v2"],
        "cflags_cc": ["-march=x86-64-v2"],
        "xcode_settings": { "OTHER_CPLUSPLUSFLAGS": ["-march=x86-64-v2"] },
        "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/clang:-march=x86-64-v2"] } }
      }]
    }],
    ["target_arch=='arm64'", {
      "targets": [{
        "target_name": "kernels_neon", "type": "static_library", "sources": ["<@(tt_kernels)"],
        "defines": ["KERNEL_NS=neon"]
      }]
    }],
    ["target_arch!='x64' and target_arch!='arm64'", {
      "targets": [{
        "target_name": "kernels_generic", "type": "static_library", "sources": ["<@(tt_kernels)"],
        "defines": ["KERNEL_NS=generic"]
      }]
    }]
  ]
}
